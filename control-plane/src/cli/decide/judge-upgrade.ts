import type { Issue, UpgradeReport } from '@ai-fabric/shared';

/** What is looked at of a host whose agent is upgraded. */
export interface UpgradingHost {
  readonly presence: string;
  readonly agentVersion: string | null;
  readonly upgrade: UpgradeReport | null;
  readonly tunnelUp: boolean;
  readonly issues: readonly Pick<Issue, 'code' | 'subject' | 'severity'>[];
}

export interface UpgradeVerdict {
  /** `proven`: it is linked on the new version, and nothing is worse than it was. */
  readonly state: 'waiting' | 'proven' | 'failed';
  /** In words. */
  readonly detail: string;
}

/**
 * How an agent that took the offer of a version is.
 *
 * @param before as its host was when it took it
 */
export function judgeUpgrade(before: UpgradingHost, now: UpgradingHost, version: string): UpgradeVerdict {
  const told = now.upgrade?.version === version ? now.upgrade : null;
  if (told !== null && (told.phase === 'rolled_back' || told.phase === 'failed')) {
    return { state: 'failed', detail: describePhase(told) };
  }
  if (now.presence !== 'online') return { state: 'waiting', detail: 'its link is down' };
  if (told !== null && told.phase !== 'done') return { state: 'waiting', detail: describePhase(told) };
  if (now.agentVersion !== version) return { state: 'waiting', detail: 'it has not begun' };
  if (before.tunnelUp && !now.tunnelUp) return { state: 'waiting', detail: 'its tunnel is down' };
  const known = new Set(before.issues.map(issueKey));
  const worse = now.issues.find((issue) => issue.severity === 'error' && !known.has(issueKey(issue)));
  if (worse !== undefined) {
    return { state: 'waiting', detail: `it has the issue ${worse.code} (${worse.subject}) since` };
  }
  return { state: 'proven', detail: `runs ${version}` };
}

/** As "offered: run ai-fabric-agent upgrade". */
export function describePhase({ phase, detail }: UpgradeReport): string {
  const words = phase.replaceAll('_', ' ');
  return detail === null ? words : `${words}: ${detail}`;
}

function issueKey({ code, subject }: Pick<Issue, 'code' | 'subject'>): string {
  return `${code} ${subject}`;
}
