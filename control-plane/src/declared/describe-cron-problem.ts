import { Cron } from 'croner';

/** What is expected of a cron pattern that does not fit, or `null` when it does. */
export function describeCronProblem(pattern: string): string | null {
  try {
    const next = new Cron(pattern, { paused: true }).nextRun();
    return next === null ? 'a cron pattern that comes true some day, such as "0 7 * * *"' : null;
  } catch {
    return 'a cron pattern such as "0 7 * * *": minute, hour, day of the month, month, day of the week';
  }
}
