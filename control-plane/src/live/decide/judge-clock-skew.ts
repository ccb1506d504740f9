import type { Issue } from '@ai-fabric/shared';

/** Reported above this. Presence and placement never depend on it: the server stamps time. */
const CLOCK_SKEW_LIMIT_MS = 60_000;
/** Cleared below this: a clock right at the limit must not raise it again and again. */
const CLEARED_BELOW_MS = 50_000;

/** @param skewMs the server's clock less the agent's, the way of the frame included */
export function judgeClockSkew(raised: boolean, skewMs: number): boolean {
  const apartMs = Math.abs(skewMs);
  return raised ? apartMs >= CLEARED_BELOW_MS : apartMs > CLOCK_SKEW_LIMIT_MS;
}

export function clockSkewIssue(skewMs: number): Issue {
  const apart = Math.round(Math.abs(skewMs) / 1_000);
  return {
    code: 'clock_skew',
    subject: 'host',
    severity: 'info',
    detail: `This host's clock is about ${apart} s ${skewMs > 0 ? 'behind' : 'ahead of'} the control plane's.`,
    fix: 'Turn on time synchronisation on the host (chrony, systemd-timesyncd, or Windows Time).',
  };
}
