import { isOwnVariable, ownArgument } from '@ai-fabric/shared';
import type { DeclaredDeployment, VllmDeployment } from '../declared-state.js';
import type { DeclaredFinding } from './declared-finding.js';
import { describeText, looksSecret } from './describe-value.js';
import type { FabricDraft } from './draft-fabric.js';

/** What of deployments no field can tell by itself: what collides on a host, and what does not go together. */
export function checkDeployments(draft: FabricDraft): DeclaredFinding[] {
  const deployments = [...draft.deployments.values()].filter((each) => each !== null);
  const vllm = deployments.filter((each) => each.engine === 'vllm');
  return [...checkCollisions(vllm, deployments), ...vllm.flatMap(checkVllm)];
}

/** Ports and containers of a host are there once; several external deployments may be models of one engine. */
function checkCollisions(
  vllm: readonly VllmDeployment[],
  deployments: readonly DeclaredDeployment[],
): DeclaredFinding[] {
  const findings: DeclaredFinding[] = [];
  const taken = new Map<string, string>();
  const refuse = ({ name, host }: DeclaredDeployment, field: string, what: string, by: string): void => {
    const message = `expected another: ${what} on host "${host}" is already that of "${by}"`;
    findings.push({ path: ['deployments', name, field], message });
  };
  const take = (deployment: VllmDeployment, field: string, what: string): void => {
    const key = `${deployment.host} ${what}`;
    const before = taken.get(key);
    if (before === undefined) taken.set(key, deployment.name);
    else refuse(deployment, field, what, before);
  };
  for (const deployment of vllm) {
    if (deployment.port !== null) take(deployment, 'port', `port ${deployment.port}`);
    if (deployment.adopt !== null) take(deployment, 'adopt', `the container "${deployment.adopt}"`);
  }
  for (const deployment of deployments) {
    if (deployment.engine !== 'external') continue;
    const what = `port ${portOnHost(deployment.url, deployment.host)}`;
    const by = taken.get(`${deployment.host} ${what}`);
    if (by !== undefined) refuse(deployment, 'url', what, by);
  }
  return findings;
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** `null` where the address does not say that it is on that host. */
function portOnHost(url: string, host: string): number | null {
  const { hostname, port, protocol } = new URL(url);
  if (!LOOPBACK.test(hostname) && hostname !== host && !hostname.startsWith(`${host}.`)) return null;
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

function checkVllm(deployment: VllmDeployment): DeclaredFinding[] {
  const at = (...path: (string | number)[]) => ['deployments', deployment.name, ...path];
  const findings: DeclaredFinding[] = [];
  const { reach, parkable, wish, port, address } = deployment;
  if (reach === 'direct' && parkable) {
    const message =
      'expected false: parking opens paths of the engine that its key does not guard, so it needs reach: tunnel';
    findings.push({ path: at('parkable'), message });
  }
  if (reach === 'direct' && port === null) {
    const message = 'missing; expected a port: with reach: direct it is open on the host';
    findings.push({ path: at('port'), message });
  }
  if (reach === 'tunnel' && address !== null) {
    const message = 'leave it out: with reach: tunnel nothing of it is open on the host';
    findings.push({ path: at('address'), message });
  }
  if (wish === 'parked' && !parkable) {
    findings.push({ path: at('wish'), message: 'expected running or stopped: parked needs parkable: true' });
  }
  for (const [index, argument] of deployment.extraArguments.entries()) {
    const instead = ownArgument(argument);
    if (instead === undefined) continue;
    const hint = instead === null ? 'leave it out' : `declare "${instead}" instead`;
    const message = `the agent sets ${describeText(argument.split('=')[0] ?? '')} itself: ${hint}`;
    findings.push({ path: at('extraArguments', index), message });
  }
  for (const [variable, value] of Object.entries(deployment.environment)) {
    const path = at('environment', variable);
    if (isOwnVariable(variable)) {
      findings.push({ path, atKey: true, message: `the agent sets "${variable}" itself: leave it out` });
    } else if ('value' in value && looksSecret(value.value)) {
      const message =
        'it looks like a secret; expected { env: NAME } or { file: /absolute/path }, which are read on the host';
      findings.push({ path: [...path, 'value'], message });
    }
  }
  return findings;
}
