import type { Issue } from '@ai-fabric/shared';
import type { LiveHost } from '../../live/live-view.js';
import { type Finding, finding } from '../finding.js';

export interface HostFacts {
  readonly host: LiveHost;
  /** `null`: it joined, and is not declared. */
  readonly mayBeAway: boolean | null;
  /** Of the last heartbeat; `null`: none came back yet. */
  readonly roundTripMs: number | null;
  /** Deployments on it. What its issues say of them is told there. */
  readonly deployments: ReadonlySet<string>;
}

/** A host's link, driver and issues. Away, as declared, is as good as online. */
export function judgeHost(facts: HostFacts, nowMs: number): Finding[] {
  const { host, mayBeAway } = facts;
  const where = { kind: 'host', name: host.name } as const;
  const findings = [judgeLink(facts, nowMs)];
  if (mayBeAway === null) {
    const fix = 'declare it under "hosts" in fabric.yaml to run deployments on it, or remove it';
    const what = 'has joined, and is not declared: nothing is sent to it';
    findings.push(finding('info', 'host_not_declared', where, what, { fix }));
  }
  if (host.draining) {
    const fix = `ai-fabric hosts undrain ${host.name}`;
    findings.push(finding('info', 'host_draining', where, 'is draining: it takes no new requests', { fix }));
  }
  if (host.presence !== 'online' && host.presence !== 'late') return findings;
  if (host.owner !== null && host.owner.state !== 'serving') {
    const what = `its cards are the owner's: ${host.owner.detail ?? host.owner.state}`;
    findings.push(finding('info', 'host_yielded', where, what));
  }
  const issues = host.issues.filter(({ subject }) => !facts.deployments.has(subject));
  findings.push(...issues.map((issue) => fromIssue(issue, where)));
  const driver = judgeDriver(host, issues);
  if (driver) findings.push(driver);
  return findings;
}

export function fromIssue(issue: Issue, where: Finding['where']): Finding {
  const about = issue.subject === 'host' || issue.subject === where.name ? '' : ` (${issue.subject})`;
  const more = issue.fix === null ? {} : { fix: issue.fix };
  return finding(issue.severity, issue.code, where, `${issue.detail}${about}`, more);
}

function judgeLink({ host, mayBeAway, roundTripMs }: HostFacts, nowMs: number): Finding {
  const where = { kind: 'host', name: host.name } as const;
  if (host.revokedAtMs !== null) {
    const severity = mayBeAway === null ? 'info' : mayBeAway ? 'warning' : 'error';
    const what = `its key is revoked for ${ageOf(nowMs - host.revokedAtMs)}: it cannot come back, also when it is on`;
    const fix = `ai-fabric hosts re-enrol ${host.name}; or remove it, here and in fabric.yaml`;
    return finding(severity, 'host_revoked', where, what, { fix });
  }
  const since = `for ${ageOf(nowMs - host.presenceSinceMs)}`;
  switch (host.presence) {
    case 'online': {
      const what = `is online ${since}, agent ${host.agentVersion ?? 'of unknown version'}`;
      return finding('ok', 'host', where, what, roundTripMs === null ? {} : { latencyMs: roundTripMs });
    }
    case 'late':
      return finding('warning', 'host_late', where, `has been silent ${since}`, {
        fix: 'look at its network; it counts as away after 30 s of silence',
      });
    case 'away':
      if (mayBeAway !== false) return finding('ok', 'host_away', where, `is away ${since}, as declared`);
      return finding('error', 'host_away', where, `is away ${since}${goodbye(host)}`, {
        fix: 'start it, or its agent; or declare "mayBeAway: true" where that is normal',
      });
    case 'unseen': {
      const fix = `ai-fabric token create --host ${host.name}, then on it: ai-fabric-agent join`;
      if (mayBeAway !== false) {
        return finding('info', 'host_never_joined', where, 'has never joined; it may be away', { fix });
      }
      return finding('warning', 'host_never_joined', where, 'is declared, and has never joined', { fix });
    }
    default:
      return host.presence satisfies never;
  }
}

/** `null` where an issue says it already. */
function judgeDriver(host: LiveHost, issues: readonly Issue[]): Finding | null {
  const where = { kind: 'host', name: host.name } as const;
  const gpus = host.inventory?.gpus ?? [];
  const [first] = gpus;
  if (first === undefined || issues.some(({ code }) => DRIVER_ISSUES.has(code))) return null;
  const cards = gpus.length === 1 ? first.name : `${gpus.length} cards, the first ${first.name}`;
  const cuda = first.cudaVersion === null ? '' : `, CUDA ${first.cudaVersion}`;
  const what = `${cards}: driver ${first.driverVersion ?? 'of unknown version'}${cuda}`;
  return finding('ok', 'driver', where, what);
}

const DRIVER_ISSUES: ReadonlySet<string> = new Set([
  'no_gpu',
  'driver_not_loaded',
  'driver_mismatch',
  'driver_hung',
  'gpu_lost',
  'gpu_tool_failed',
]);

function goodbye(host: LiveHost): string {
  return host.goodbyeReason === null ? ', without a goodbye' : ` (it said: ${host.goodbyeReason})`;
}

function ageOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
