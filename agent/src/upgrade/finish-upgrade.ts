import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { isLinked, PROVING_MS, planUpgradeStep, type UpgradeFacts } from './decide/plan-upgrade-step.js';
import type { UpgradeRecord, UpgradeStage } from './upgrade-record.js';
import type { UpgradeSystem } from './upgrade-system.js';

export interface FinishUpgradeOptions {
  readonly system: UpgradeSystem;
  readonly clock: Clock;
  readonly log: Logger;
}

const LOOK_EVERY_MS = 500;
/** Each pass waits, or brings the record a stage further. */
const MAX_PASSES = PROVING_MS / LOOK_EVERY_MS + 50;
const MAX_REASON = 400;

/**
 * Brings a replacement to its end, wherever it was cut off: the newer version runs and is linked, or the one before runs again.
 * The version that was there before does this.
 *
 * @returns its record; `null`: there was none
 * @throws Error where the record cannot be kept or a version not be made the current one; run again, it goes on
 */
export async function finishUpgrade(options: FinishUpgradeOptions): Promise<UpgradeRecord | null> {
  const record = await options.system.readRecord();
  if (record === null) {
    await options.system.disarm();
    return null;
  }
  return new Finishing(options, record).run();
}

class Finishing {
  readonly #system: UpgradeSystem;
  readonly #clock: Clock;
  readonly #log: Logger;
  #record: UpgradeRecord;
  #provingFromMs: number;
  /** The process that was seen linked, and since when. */
  #linked: { readonly pid: number; readonly fromMs: number } | null = null;

  constructor({ system, clock, log }: FinishUpgradeOptions, record: UpgradeRecord) {
    this.#system = system;
    this.#clock = clock;
    this.#log = log;
    this.#record = record;
    this.#provingFromMs = clock.monotonicMs();
  }

  async run(): Promise<UpgradeRecord> {
    if (this.#record.stage === 'proving') await this.#keep('proving', { proofs: this.#record.proofs + 1 });
    for (let pass = 0; pass < MAX_PASSES; pass += 1) {
      if (await this.#advance()) return this.#record;
    }
    throw new Error(`the upgrade to ${this.#record.to.version} came to no end`);
  }

  /** @returns whether it is over */
  async #advance(): Promise<boolean> {
    const step = planUpgradeStep(await this.#look());
    switch (step.do) {
      case 'swap':
        await this.#system.makeCurrent(step.folder);
        await this.#keep(step.stage);
        return false;
      case 'restart':
        await this.#restart(step.stage);
        return false;
      case 'wait':
        await new Promise<void>((resolve) => this.#clock.after(LOOK_EVERY_MS, resolve));
        return false;
      case 'turn_back':
        await this.#keep('rolling_back', { reason: step.reason });
        return false;
      case 'end':
        await this.#keep(step.stage, { reason: step.reason });
        return false;
      case 'tidy':
        await this.#tidy();
        return true;
      default:
        return step satisfies never;
    }
  }

  async #look(): Promise<UpgradeFacts> {
    const record = this.#record;
    const current = await this.#system.current();
    if (record.stage !== 'proving') {
      const service = { pid: null, restarts: 0 };
      return { record, current, service, health: null, provingMs: 0, linkedMs: null };
    }
    const service = await this.#system.service();
    const health = await this.#system.health();
    const nowMs = this.#clock.monotonicMs();
    if (!isLinked(record, service, health) || service.pid === null) this.#linked = null;
    else if (this.#linked?.pid !== service.pid) this.#linked = { pid: service.pid, fromMs: nowMs };
    const linkedMs = this.#linked === null ? null : nowMs - this.#linked.fromMs;
    return { record, current, service, health, provingMs: nowMs - this.#provingFromMs, linkedMs };
  }

  async #restart(stage: 'proving' | 'rolled_back'): Promise<void> {
    const trouble = await this.#system.restart().then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    this.#provingFromMs = this.#clock.monotonicMs();
    if (stage === 'proving') {
      if (trouble === null) await this.#keep('proving', { proofs: 1 });
      else
        await this.#keep('rolling_back', { reason: `${this.#record.to.version} does not start: ${trouble}` });
      return;
    }
    // systemd goes on trying; nothing else is left to be put in its place.
    const also =
      trouble === null ? '' : ` (and ${this.#record.from.version} did not start at once: ${trouble})`;
    await this.#keep('rolled_back', { reason: `${this.#record.reason ?? 'it did not work'}${also}` });
  }

  async #keep(
    stage: UpgradeStage,
    change: Partial<Pick<UpgradeRecord, 'reason' | 'proofs'>> = {},
  ): Promise<void> {
    const reason = change.reason === undefined ? this.#record.reason : change.reason;
    this.#record = {
      ...{ ...this.#record, ...change, stage },
      ...{ reason: reason?.slice(0, MAX_REASON) ?? null, changedAtMs: this.#clock.nowMs() },
    };
    await this.#system.writeRecord(this.#record);
    const { from, to } = this.#record;
    this.#log.info({ stage, from: from.version, to: to.version, reason: this.#record.reason }, 'upgrade');
  }

  async #tidy(): Promise<void> {
    const { stage, from, to } = this.#record;
    if (stage === 'done') await this.#system.noteVersion(to.version);
    // What was replaced is kept: its owner may want it back. What did not work is not.
    await this.#system.keepOnly(stage === 'done' ? [from.folder, to.folder] : [from.folder]);
    await this.#system.disarm();
  }
}
