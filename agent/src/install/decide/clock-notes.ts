/** A clock that is behind the day on which the program was made is wrong by more than a time zone. */
const CLOCK_SLACK_MS = 48 * 3_600_000;
/** No agent is used for so long after it was made. */
const CLOCK_AHEAD_MS = 20 * 365 * 86_400_000;

/** What to say of a clock that cannot be right. @param builtAtMs wall clock; `null`: nobody knows @param fix a command */
export function clockNotes(nowMs: number, builtAtMs: number | null, fix: string): string[] {
  if (builtAtMs === null) return [];
  if (nowMs >= builtAtMs - CLOCK_SLACK_MS && nowMs <= builtAtMs + CLOCK_AHEAD_MS) return [];
  const says = new Date(nowMs).toISOString().slice(0, 10);
  return [
    `The clock of this machine says ${says}, which cannot be. The link does not mind, but logs and other programs do. Mend it: ${fix}`,
  ];
}
