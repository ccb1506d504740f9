import { atMost } from '../at-most.js';
import { dataDirectoryLayout } from '../config/data-directory-layout.js';
import type { CheckParts } from './check-parts.js';
import {
  type CheckRecords,
  type DoctorRun,
  readCheckRecords,
  type SmokeRun,
  writeCheckRecords,
} from './check-records.js';
import { worstOf } from './decide/order-findings.js';
import type { Finding } from './finding.js';
import type { SmokeOptions } from './run-smoke.js';

export type CheckKind = 'doctor' | 'smoke';
export type StartedBy = 'operator' | 'schedule';

type RunnerParts = Pick<CheckParts, 'clock' | 'log' | 'dataDirectory'>;

/** The checks themselves. */
interface CheckWork {
  readonly doctor: (scope: ReadonlySet<string> | null) => Promise<readonly Finding[]>;
  readonly smoke: (options: SmokeOptions) => Promise<readonly SmokeRun['results'][number][]>;
}

/** Longer than the integrity check's own deadline takes. */
const CLOSE_MS = 9_000;

/** Runs the checks, one of a kind at a time, and keeps what they found last. */
export class CheckRunner {
  readonly #parts: RunnerParts;
  readonly #work: CheckWork;
  readonly #file: string;
  #records: CheckRecords;
  readonly #turns: Record<CheckKind, Promise<unknown>> = {
    doctor: Promise.resolve(),
    smoke: Promise.resolve(),
  };
  #closed = false;

  constructor(parts: RunnerParts, work: CheckWork) {
    this.#parts = parts;
    this.#work = work;
    this.#file = dataDirectoryLayout(parts.dataDirectory).checksFile;
    this.#records = readCheckRecords(this.#file);
  }

  get records(): CheckRecords {
    return this.#records;
  }

  /** @param scope one of a part of the fabric alone is not kept as the last */
  doctor(scope: ReadonlySet<string> | null, startedBy: StartedBy): Promise<DoctorRun> {
    return this.#inTurn('doctor', async (): Promise<DoctorRun> => {
      const { clock } = this.#parts;
      const [atMs, startedAtMs] = [clock.nowMs(), clock.monotonicMs()];
      const findings = [...(await this.#work.doctor(scope))];
      const tookMs = clock.monotonicMs() - startedAtMs;
      const run = { atMs, tookMs, startedBy, worst: worstOf(findings), findings };
      if (scope === null) this.#keep({ ...this.#records, doctor: run });
      return run;
    });
  }

  smoke(options: SmokeOptions, startedBy: StartedBy): Promise<SmokeRun> {
    return this.#inTurn('smoke', async (): Promise<SmokeRun> => {
      const { clock } = this.#parts;
      const [atMs, startedAtMs] = [clock.nowMs(), clock.monotonicMs()];
      const results = [...(await this.#work.smoke(options))];
      const run = { atMs, tookMs: clock.monotonicMs() - startedAtMs, startedBy, results };
      this.#keep({ ...this.#records, smoke: run });
      return run;
    });
  }

  /** The webhook knows of these problems now. */
  keepTold(kind: CheckKind, problems: readonly Finding[]): void {
    this.#keep({ ...this.#records, told: { ...this.#records.told, [kind]: [...problems] } });
  }

  /** Waits a little for the runs under way, which look at the registry's file; what they find is kept no more. */
  async close(): Promise<void> {
    this.#closed = true;
    const underWay = Promise.all(Object.values(this.#turns)).then(() => undefined);
    await atMost(CLOSE_MS, underWay, this.#parts.clock);
  }

  /** Two of a kind at once would each measure the other. */
  #inTurn<Run>(kind: CheckKind, work: () => Promise<Run>): Promise<Run> {
    const run = this.#turns[kind].then(work);
    this.#turns[kind] = run.catch(() => undefined);
    return run;
  }

  #keep(records: CheckRecords): void {
    if (this.#closed) return;
    this.#records = records;
    try {
      writeCheckRecords(this.#file, records);
    } catch (error) {
      // A full disk takes the memory of them across a restart, no more.
      this.#parts.log.warn({ error: String(error) }, 'what the checks found could not be kept');
    }
  }
}
