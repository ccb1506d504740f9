import type { CheckParts } from './check-parts.js';
import type { CheckRecords, DoctorRun, SmokeRun } from './check-records.js';
import { type CheckKind, CheckRunner } from './check-runner.js';
import { type BundleParts, gatherBundle } from './gather-bundle.js';
import { runDoctor } from './run-doctor.js';
import { runSmoke, type SmokeOptions } from './run-smoke.js';
import { ScheduledChecks, type WebhookState } from './scheduled-checks.js';

/** The checks as the control API sees them. */
export interface Checks {
  /** @param scope `null`: all of the fabric */
  doctor(scope: ReadonlySet<string> | null): Promise<DoctorRun>;
  smoke(options: SmokeOptions): Promise<SmokeRun>;
  last(): Pick<CheckRecords, 'doctor' | 'smoke'>;
  nextAtMs(kind: CheckKind): number | null;
  webhook(): WebhookState;
  /** For a masked archive. */
  bundle(): BundleParts;
}

/** Starts the declared schedules. */
export function createChecks(parts: CheckParts): Checks & { close(): Promise<void> } {
  const runner = new CheckRunner(parts, {
    doctor: (scope) => runDoctor(parts, scope),
    smoke: (options) => runSmoke(parts, options),
  });
  const scheduled = new ScheduledChecks(parts, runner);
  return {
    doctor: (scope) => runner.doctor(scope, 'operator'),
    smoke: (options) => runner.smoke(options, 'operator'),
    last: () => runner.records,
    nextAtMs: (kind) => scheduled.nextAtMs(kind),
    webhook: () => scheduled.webhook,
    bundle: () => gatherBundle(parts, runner.records),
    close: () => {
      scheduled.close();
      return runner.close();
    },
  };
}
