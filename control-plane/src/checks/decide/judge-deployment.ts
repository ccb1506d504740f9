import type { DeclaredDeployment, ExternalDeployment } from '../../declared/declared-state.js';
import type { LiveHost, LiveReplica } from '../../live/live-view.js';
import type { AskFact } from '../check-facts.js';
import { type Finding, finding } from '../finding.js';
import { fromIssue } from './judge-host.js';
import { judgeKeptReplica } from './judge-kept-replica.js';

export interface DeploymentFacts {
  readonly deployment: DeclaredDeployment;
  readonly host: LiveHost | null;
  readonly replica: LiveReplica | null;
  /** Of the engine's models listing, by the address that the gateway uses; `null`: not asked. */
  readonly ask: AskFact | null;
  readonly breaker: 'closed' | 'open' | 'half_open';
}

/** Whether it makes sense to ask its engine: one on a host that is away cannot answer. */
export function isAskable(host: LiveHost | null): boolean {
  return host?.presence === 'online' || host?.presence === 'late';
}

/** A deployment's replica, as its agent sees it, and its engine, as the gateway reaches it. */
export function judgeDeployment(facts: DeploymentFacts): Finding[] {
  const { deployment, host, replica, ask, breaker } = facts;
  if (host === null || !isAskable(host)) return [];
  const where = { kind: 'deployment', name: deployment.name } as const;
  const issues = host.issues.filter(({ subject }) => subject === deployment.name);
  const findings = issues.map((issue) => fromIssue(issue, where));
  const isExplained = issues.some(({ severity }) => severity === 'error');
  if (deployment.engine === 'vllm') {
    findings.push(...judgeKeptReplica({ deployment, host, replica, isExplained }));
  } else {
    findings.push(...judgeWatched(deployment, replica, ask, isExplained));
  }
  if (breaker !== 'closed') {
    const what = 'failed repeatedly and is passed over for a while, then tried again by itself';
    const fix = 'look into the log of its engine';
    findings.push(finding('warning', 'breaker_open', where, what, { fix }));
  }
  return findings;
}

/** A replica that somebody else runs: as its agent sees it, and its engine as it is reached from here. */
function judgeWatched(
  deployment: ExternalDeployment,
  replica: LiveReplica | null,
  ask: AskFact | null,
  isExplained: boolean,
): Finding[] {
  const where = { kind: 'deployment', name: deployment.name } as const;
  const findings: Finding[] = [];
  const engine = judgeEngine(deployment, ask);
  if (replica === null) {
    const what = `the agent of ${deployment.host} has not told of it yet`;
    const fix = `look into the log of the agent on ${deployment.host}`;
    findings.push(finding('warning', 'replica_unseen', where, what, { fix }));
  } else if (replica.status.phase === 'ready') {
    if (engine.severity === 'ok') findings.push(ready(replica, engine));
  } else if (!isExplained) {
    findings.push(notReady(replica));
  }
  if (engine.severity !== 'ok') findings.push(engine);
  return findings;
}

function ready({ status }: LiveReplica, engine: Finding): Finding {
  const version = status.engineVersion === null ? '' : `, engine ${status.engineVersion}`;
  const what = `is ready: a token was proven${version}`;
  return { ...engine, code: 'replica', what };
}

function notReady({ status, deployment }: LiveReplica): Finding {
  const where = { kind: 'deployment', name: deployment } as const;
  const why = status.detail === null ? '' : `: ${status.detail}`;
  const failed = status.phase === 'failed' || status.phase === 'absent' || status.phase === 'starting';
  const code = status.code ?? 'replica_not_ready';
  const fix = failed
    ? 'start its engine, or look into its log'
    : 'wait: large models take minutes to load; then look into the log of its engine';
  return finding(failed ? 'error' : 'warning', code, where, `is ${status.phase}${why}`, { fix });
}

function judgeEngine({ name, url, servedModel, host }: ExternalDeployment, ask: AskFact | null): Finding {
  const where = { kind: 'deployment', name } as const;
  if (ask === null) {
    return finding('info', 'engine_not_asked', where, 'its engine was not asked');
  }
  const latencyMs = ask.tookMs;
  if (ask.kind === 'failed') {
    const what = `its engine cannot be reached from here at ${url} (${ask.code})`;
    const fix = `start it; where it runs, look at what lies between: "url", firewall, address of ${host}`;
    return finding('error', 'engine_unreachable_from_here', where, what, { fix, latencyMs });
  }
  if (ask.status !== 200) {
    const what = `its engine answers its models listing with ${ask.status}`;
    const fix = `look whether ${url} is the engine, and into its log`;
    return finding('error', 'engine_refuses', where, what, { fix, latencyMs });
  }
  if (ask.modelIds !== null && !ask.modelIds.includes(servedModel)) {
    const there = ask.modelIds.slice(0, 5).join(', ') || 'none';
    const what = `its engine does not serve ${servedModel}; it serves: ${there}`;
    const fix = 'correct "servedModel" in fabric.yaml, or start the engine with that model';
    return finding('error', 'engine_model_missing', where, what, { fix, latencyMs });
  }
  return finding('ok', 'engine', where, 'its engine answers', { latencyMs });
}
