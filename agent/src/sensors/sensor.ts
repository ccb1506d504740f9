import type { Issue } from '@ai-fabric/shared';

/**
 * What a sensor has to say right now. A reading may come with issues of its parts (one card of three is lost);
 * without a reading there is exactly one issue that says why.
 */
export type SensorResult<Reading> =
  | { readonly ok: true; readonly reading: Reading; readonly issues: readonly Issue[] }
  | { readonly ok: false; readonly issue: Issue };

/**
 * One source of readings. `read` never rejects: what goes wrong is an issue. An aborted signal ends the wait, and
 * the answer is then an issue or what was known before.
 */
export interface Sensor<Reading> {
  read(signal: AbortSignal): Promise<SensorResult<Reading>>;
  /** When what it listens to last said something, on the monotonic clock; `null`: nothing yet. */
  readonly lastRowAtMs?: number | null;
}

/** A sensor that holds something open (a child process, a file). `close` may be called more than once. */
export interface ClosableSensor<Reading> extends Sensor<Reading> {
  close(): Promise<void>;
}

export function reading<Reading>(value: Reading, issues: readonly Issue[] = []): SensorResult<Reading> {
  return { ok: true, reading: value, issues };
}

export function unavailable(issue: Issue): SensorResult<never> {
  return { ok: false, issue };
}

/** All issues of a result, whether or not it has a reading. */
export function issuesOf(result: SensorResult<unknown>): readonly Issue[] {
  return result.ok ? result.issues : [result.issue];
}
