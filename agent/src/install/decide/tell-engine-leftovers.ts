import { countOf } from '@ai-fabric/shared';
import type {
  ContainerEngineFlavour,
  ContainerState,
  ContainerSummary,
  VolumeInfo,
} from '../../containers/container-engine.js';

interface Found {
  readonly containers: readonly Pick<ContainerSummary, 'name' | 'labels' | 'state'>[];
  readonly volumes: readonly Pick<VolumeInfo, 'name'>[];
}

const STOPPED = 'stopped';
/** In the order in which they are told: what still uses a card first. */
const WORDS: Readonly<Record<ContainerState, string>> = {
  running: 'running',
  restarting: 'running',
  paused: 'paused',
  removing: 'being removed',
  unknown: 'in a state that is not known',
  created: STOPPED,
  exited: STOPPED,
  dead: STOPPED,
};

/** What the agent made in its engine, in lines with the commands that remove it: a container that has not ended is stopped by its. */
export function tellEngineLeftovers(tool: ContainerEngineFlavour, found: Found): readonly string[] {
  const containers = found.containers.filter(({ labels }) => 'io.ai-fabric.deployment' in labels);
  const volumes = found.volumes.filter(({ name }) => name.startsWith('ai-fabric-'));
  const lines = [...new Set(Object.values(WORDS))].flatMap((word) => {
    const those = containers.filter(({ state }) => WORDS[state] === word);
    const remove = word === STOPPED ? 'rm' : 'rm --force';
    return those.length === 0
      ? []
      : [`${countOf(those.length, 'container')}, ${word}: ${tool} ${remove} ${namesOf(those)}`];
  });
  if (volumes.length === 0) return lines;
  return [
    ...lines,
    `${countOf(volumes.length, 'volume')} with models: ${tool} volume rm ${namesOf(volumes)}`,
  ];
}

function namesOf(found: readonly { readonly name: string }[]): string {
  return found.map(({ name }) => name).join(' ');
}
