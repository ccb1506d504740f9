import type { VllmDeployment } from '../../declared/declared-state.js';
import { findDirectEngine } from '../../live/decide/find-direct-engine.js';
import type { LiveHost, LiveReplica } from '../../live/live-view.js';
import { type Finding, finding } from '../finding.js';

export interface KeptReplicaFacts {
  readonly deployment: VllmDeployment;
  readonly host: LiveHost;
  readonly replica: LiveReplica | null;
  /** An issue of its host is about it and an error: it says already why it is not ready. */
  readonly isExplained: boolean;
}

/** A replica that its host's agent keeps: whether it is as wished, is reached, and is as declared. */
export function judgeKeptReplica(facts: KeptReplicaFacts): Finding[] {
  const { deployment, host, replica, isExplained } = facts;
  const where = { kind: 'deployment', name: deployment.name } as const;
  const findings = [...judgePhase(deployment, replica, isExplained)];
  if (deployment.reach === 'tunnel' && deployment.wish === 'running' && !host.tunnelUp) {
    const what = `no request reaches it: host ${host.name} has no tunnel`;
    const fix = `look into the log of the agent on ${host.name}: the tunnel is a second connection to the port of its link`;
    findings.push(finding('error', 'tunnel_missing', where, what, { fix }));
  }
  findings.push(...judgeDirectReach(facts));
  const [first, ...more] = replica?.status.drift ?? [];
  if (first !== undefined) {
    const what = `its container is not as declared: ${first}${more.length === 0 ? '' : `, and ${more.length} more`}`;
    const fix = deployment.adopt === null ? restartFix(deployment) : releaseFix(deployment);
    findings.push(finding('warning', 'replica_drift', where, what, { fix }));
  }
  return findings;
}

/** Its engine is there, and the gateway knows no way to it. */
function judgeDirectReach({ deployment, host, replica }: KeptReplicaFacts): Finding[] {
  const { name, reach, wish, port } = deployment;
  const status = replica?.status;
  if (reach !== 'direct' || wish !== 'running' || status?.phase !== 'ready') return [];
  const engine = findDirectEngine({ deployment, peerAddress: host.peerAddress, status });
  if (engine.known) return [];
  const fix =
    status.port === port
      ? `declare where its host is reached: ai-fabric deployments set ${name} --address ADDRESS; or let it be reached by its tunnel: --reach tunnel`
      : `wait while its container is made anew; of an adopted one declare the port that it has: ai-fabric deployments set ${name} --port PORT`;
  const what = `no request reaches it: ${engine.detail}`;
  return [finding('error', 'address_unknown', { kind: 'deployment', name }, what, { fix })];
}

function judgePhase(
  { name, host, wish }: VllmDeployment,
  replica: LiveReplica | null,
  isExplained: boolean,
): Finding[] {
  const where = { kind: 'deployment', name } as const;
  if (replica === null) {
    const fix = `look into the log of the agent on ${host}`;
    const what = `the agent of ${host} has not told of it yet`;
    return [finding('warning', 'replica_unseen', where, what, { fix })];
  }
  const { phase, detail, code, engineVersion } = replica.status;
  if (wish === 'stopped' && phase === 'absent')
    return [finding('ok', 'replica', where, 'is stopped, as declared')];
  if (wish === 'parked' && phase === 'parked')
    return [finding('ok', 'replica', where, 'is parked, as declared')];
  if (wish === 'running' && phase === 'ready') {
    const version = engineVersion === null ? '' : `, engine ${engineVersion}`;
    return [finding('ok', 'replica', where, `is ready: a token was proven${version}`)];
  }
  if (isExplained) return [];
  const what = `is ${phase.replace('_', '-')}${detail === null ? '' : `: ${detail}`}`;
  if (phase === 'failed' || phase === 'crash_looping') {
    const fix = `see what its engine said: ai-fabric logs ${name} --tail 200`;
    const known = code ?? (phase === 'crash_looping' ? phase : 'replica_not_ready');
    return [finding('error', known, where, what, { fix })];
  }
  const fix = `wait for it: ai-fabric deployments wait ${name}${wish === 'running' ? '' : ` --for ${wish}`}`;
  return [finding('warning', 'replica_not_ready', where, what, { fix })];
}

function restartFix({ name }: VllmDeployment): string {
  return `let its agent make it anew: ai-fabric deployments restart ${name}`;
}

function releaseFix({ name }: VllmDeployment): string {
  return `when it suits, let its agent make one of its own: ai-fabric deployments adopt ${name} --release`;
}
