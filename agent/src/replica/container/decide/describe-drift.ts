import type { ContainerDetails } from '../../../containers/container-engine.js';
import { clipText } from '../../../sensors/decide/describe-issue.js';

/** What a container is held against. */
export interface Declared {
  readonly image: string;
  readonly specHash: string;
  readonly reach: 'tunnel' | 'direct';
}

const OPEN = new Set(['', '0.0.0.0', '::']);
const MAX_LINES = 16;
const MAX_LENGTH = 200;

/** What differs from the declaration, in words. Of an adopted container that is much, and nothing is changed until told. */
export function describeDrift(details: ContainerDetails, adopted: boolean, declared: Declared): string[] {
  const lines = adopted ? adoptedDrift(details, declared) : ownDrift(details, declared);
  return lines.slice(0, MAX_LINES).map((line) => clipText(line, MAX_LENGTH));
}

function ownDrift({ labels, restartPolicy }: ContainerDetails, { specHash }: Declared): string[] {
  return [
    ...(labels['io.ai-fabric.spec'] === specHash ? [] : ['It was made from an earlier declaration.']),
    ...(isRestartedByOthers(restartPolicy)
      ? [`Its restart policy is ${restartPolicy}: the agent restarts it.`]
      : []),
  ];
}

function adoptedDrift(details: ContainerDetails, declared: Declared): string[] {
  const { environmentNames, ports, labels, image, restartPolicy, networkMode, privileged, command } = details;
  const wide = ports.filter(({ hostAddress }) => OPEN.has(hostAddress));
  const hasKey = environmentNames.includes('VLLM_API_KEY') || command.includes('--api-key');
  return [
    ...(hasKey ? [] : ['It has no key: whoever reaches its port may use it.']),
    ...(declared.reach === 'tunnel'
      ? wide.map(
          ({ hostAddress, hostPort }) =>
            `It listens on ${hostAddress || 'all addresses'}:${hostPort}, not on loopback alone.`,
        )
      : []),
    ...(labels['io.ai-fabric.deployment'] === undefined ? ['It has no label of the fabric.'] : []),
    ...(image === declared.image ? [] : [`Its image is ${image}, declared is ${declared.image}.`]),
    ...(isRestartedByOthers(restartPolicy)
      ? [`Its restart policy is ${restartPolicy}: the container engine restarts it beside the agent.`]
      : []),
    ...(networkMode === 'host' ? ["It is on the host's own network."] : []),
    ...(privileged ? ['It is privileged.'] : []),
  ];
}

function isRestartedByOthers(policy: string): boolean {
  return policy !== '' && policy !== 'no';
}
