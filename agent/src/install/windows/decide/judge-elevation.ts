/** Whether this process may do what administrators do. `unknown`: Windows did not say. */
export type Elevation = 'elevated' | 'not_elevated' | 'unknown';

/** SIDs are alike in every language. High and system: an administrator who has agreed, and the system itself. */
const HIGH = /S-1-16-(?:12288|16384)\b/;
const LOWER = /S-1-16-(?:0|4096|8192|8448)\b/;

/** @param groups what `whoami /groups` prints */
export function judgeElevation(groups: string): Elevation {
  if (HIGH.test(groups)) return 'elevated';
  return LOWER.test(groups) ? 'not_elevated' : 'unknown';
}

/** The SID of a person's account in what `whoami /user` prints; `null`: there is none, as of the system itself. */
export function parseUserSid(user: string): string | null {
  return /\bS-1-(?:5-21|12-1)(?:-\d+)+\b/.exec(user)?.[0] ?? null;
}
