import { join } from 'node:path';
import type { Clock, CommandOf, Timer, UpgradeMode } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { PrivateFiles } from '../identity/private-files.js';
import type { CommandResult } from '../link/decide/command-book.js';
import { describeUpgrade } from './decide/describe-upgrade.js';
import { judgeMemory } from './decide/judge-memory.js';
import { judgeOffer } from './decide/judge-offer.js';
import type { UpgradeWords } from './decide/upgrade-words.js';
import { HEALTH_FILE, type Health, type Seen } from './health.js';
import { type OfferMemory, readOfferMemory, writeOfferMemory } from './offer-memory.js';
import { isOver, type UpgradeRecord } from './upgrade-record.js';
import type { ToldUpgrade, UpgradeDesk } from './upgrades.js';

export interface InstalledUpgradesOptions {
  readonly mode: UpgradeMode;
  readonly ownVersion: string;
  readonly words: UpgradeWords;
  readonly stateDirectory: string;
  readonly files: PrivateFiles;
  /** As whoever replaces wrote it; `null`: none, or it cannot be read. */
  readonly readRecord: () => Promise<UpgradeRecord | null>;
  /** Fetches and proves a release. @throws UpgradeError */
  readonly stage: (release: { readonly manifestSha256: string }, signal: AbortSignal) => Promise<void>;
  /** Removes what is staged. @throws Error */
  readonly discard: () => Promise<void>;
  /** Has what is staged put in place. @throws Error */
  readonly askRoot: () => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChange: () => void;
}

/** Whoever puts it in place says how far it is in a file. */
const LOOK_EVERY_MS = 1_000;
/** Root has begun by then; else something ended it, and it is to be asked again. */
const ROOT_BEGINS_MS = 300_000;
/** A release comes within this time, over the slowest line that anybody has models fetched over. */
const STAGING_MS = 3_600_000;
const MAX_DETAIL = 500;

/** Keeps what was offered, does it when its owner lets it, and tells how far it is. */
export class InstalledUpgrades implements UpgradeDesk {
  readonly #options: InstalledUpgradesOptions;
  readonly #closing = new AbortController();
  #memory: OfferMemory | null = null;
  #record: UpgradeRecord | null = null;
  #writing: Promise<void> = Promise.resolve();
  #running: Promise<void> | null = null;
  #goesOn = false;
  #lookTimer: Timer | null = null;
  /** `null`: it is being opened, and there is nobody yet to be told. */
  #told: string | null = null;
  #linkedSinceMs: number | null = null;
  #seen: Seen = { cards: null, engine: null };

  private constructor(options: InstalledUpgradesOptions) {
    this.#options = options;
  }

  /** With what an earlier process of this agent remembered. */
  static async open(options: InstalledUpgradesOptions): Promise<InstalledUpgrades> {
    const desk = new InstalledUpgrades(options);
    await desk.#wake();
    return desk;
  }

  async offer({ version, manifestSha256 }: CommandOf<'offer_upgrade'>): Promise<CommandResult> {
    const { mode, ownVersion, words } = this.#options;
    this.#record = await this.#options.readRecord();
    const isReplacing = this.#record !== null && !isOver(this.#record);
    const isRolledBack = this.#record?.stage === 'rolled_back';
    const verdict = judgeOffer({
      ...{ mode, ownVersion, version, manifestSha256, command: words.command },
      isUnderWay: this.#running !== null || this.#memory?.phase === 'staged' || isReplacing,
      rolledBackSha256: isRolledBack ? (this.#record?.manifestSha256 ?? null) : null,
    });
    switch (verdict.do) {
      case 'refuse':
        return { result: 'refused', code: verdict.code, detail: verdict.detail };
      case 'keep':
        this.#remember({ ...this.#fresh(version, manifestSha256), phase: 'offered', detail: verdict.detail });
        return { result: 'done' };
      case 'begin':
        this.#begin(this.#fresh(version, manifestSha256));
        return { result: 'done' };
      default:
        return verdict satisfies never;
    }
  }

  report(): ToldUpgrade | null {
    const report = describeUpgrade(this.#memory, this.#record, this.#options.clock.nowMs());
    if (report === null) return null;
    const waits =
      report.phase === 'offered' || (report.phase === 'failed' && this.#memory?.phase === 'failed');
    return { ...report, manifestSha256: waits ? (this.#memory?.manifestSha256 ?? null) : null };
  }

  confirm(): void {
    const memory = this.#memory;
    if (memory === null || this.#running !== null) return;
    if (memory.phase === 'offered' || memory.phase === 'failed') {
      this.#begin(this.#fresh(memory.version, memory.manifestSha256));
    }
  }

  linked(): void {
    this.#linkedSinceMs = this.#options.clock.nowMs();
    this.#writeHealth();
    if (!this.#goesOn || this.#memory === null) return;
    this.#goesOn = false;
    this.#begin(this.#memory);
  }

  unlinked(): void {
    this.#linkedSinceMs = null;
    this.#writeHealth();
  }

  saw(seen: Seen): void {
    if (seen.cards === this.#seen.cards && seen.engine === this.#seen.engine) return;
    this.#seen = seen;
    this.#writeHealth();
  }

  async isBeingReplaced(): Promise<boolean> {
    const record = await this.#options.readRecord();
    return record !== null && !isOver(record);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#lookTimer?.cancel();
    await this.#running;
    await this.#writing;
  }

  async #wake(): Promise<void> {
    const { stateDirectory, files, ownVersion, readRecord } = this.#options;
    this.#writeHealth();
    this.#record = await readRecord();
    this.#memory = await readOfferMemory(stateDirectory, files);
    if (this.#memory === null) this.#discard();
    else {
      const verdict = judgeMemory(this.#memory, this.#record, ownVersion);
      if (verdict.do === 'forget') this.#remember(null);
      else if (verdict.do === 'give_up') this.#fail(verdict.reason);
      else this.#goesOn = verdict.do === 'go_on';
    }
    this.#told = JSON.stringify(this.report());
    if (this.#record !== null && !isOver(this.#record)) this.#watch();
  }

  #fresh(version: string, manifestSha256: string): OfferMemory {
    const begunAtMs = this.#options.clock.nowMs();
    return { version, manifestSha256, phase: 'fetching', detail: null, attempts: 0, begunAtMs };
  }

  #begin(memory: OfferMemory): void {
    if (this.#running !== null || this.#closing.signal.aborted) return;
    this.#remember({ ...memory, phase: 'fetching', detail: null, attempts: memory.attempts + 1 });
    this.#running = this.#fetchAndAsk(memory).finally(() => {
      this.#running = null;
    });
  }

  async #fetchAndAsk({ version, manifestSha256 }: OfferMemory): Promise<void> {
    const { stage, askRoot, clock, log } = this.#options;
    const late = new AbortController();
    const deadline = clock.after(STAGING_MS, () => late.abort());
    try {
      // On the disk before anything is fetched: an agent that ends in it goes on.
      await this.#writing;
      await stage({ manifestSha256 }, AbortSignal.any([this.#closing.signal, late.signal]));
      this.#remember(this.#memory && { ...this.#memory, phase: 'staged', detail: null });
      await this.#writing;
      log.info({ version }, 'upgrade: the release is staged');
      await askRoot();
      this.#watch();
    } catch (error) {
      // An agent that ends goes on when it is back.
      if (this.#closing.signal.aborted) return;
      this.#fail(error instanceof Error ? error.message : String(error));
    } finally {
      deadline.cancel();
    }
  }

  #fail(reason: string): void {
    if (this.#memory === null) return;
    this.#options.log.warn({ version: this.#memory.version, reason }, 'upgrade: it came to nothing');
    this.#remember({ ...this.#memory, phase: 'failed', detail: reason.slice(0, MAX_DETAIL) });
  }

  /** Until whoever puts it in place has come to an end, or did not begin. */
  #watch(): void {
    const { clock } = this.#options;
    const giveUpAtMs = clock.monotonicMs() + ROOT_BEGINS_MS;
    const look = async (): Promise<void> => {
      this.#record = await this.#options.readRecord();
      const isReplacing = this.#record !== null && !isOver(this.#record);
      const isEnded =
        this.#memory !== null &&
        !isReplacing &&
        this.#record?.manifestSha256 === this.#memory.manifestSha256 &&
        this.#record.changedAtMs >= this.#memory.begunAtMs;
      if (isEnded) this.#remember(null);
      this.#tell();
      if (this.#closing.signal.aborted || (!isReplacing && (isEnded || this.#memory === null))) return;
      if (!isReplacing && clock.monotonicMs() >= giveUpAtMs) {
        this.#fail(`It was staged, and nobody put it in place: ${this.#options.words.log}`);
        return;
      }
      this.#lookTimer = clock.after(LOOK_EVERY_MS, () => void look());
    };
    this.#lookTimer?.cancel();
    this.#lookTimer = clock.after(0, () => void look());
  }

  #remember(memory: OfferMemory | null): void {
    const { stateDirectory, files } = this.#options;
    this.#memory = memory;
    this.#write(() => writeOfferMemory(stateDirectory, memory, files));
    if (memory === null) this.#discard();
    this.#tell();
  }

  /** It is over, or there was none: a program of a hundred megabytes is of no more use. */
  #discard(): void {
    this.#writing = this.#writing.then(this.#options.discard).catch((error: unknown) => {
      this.#options.log.warn({ error: String(error) }, 'upgrade: what was staged could not be removed');
    });
  }

  #tell(): void {
    const told = JSON.stringify(this.report());
    if (this.#told === null || told === this.#told) return;
    this.#told = told;
    if (!this.#closing.signal.aborted) this.#options.onChange();
  }

  #writeHealth(): void {
    const { stateDirectory, files, ownVersion } = this.#options;
    const health: Health = {
      ...{ version: ownVersion, pid: process.pid, linkedSinceMs: this.#linkedSinceMs, seen: this.#seen },
    };
    this.#write(() => files.write(join(stateDirectory, HEALTH_FILE), `${JSON.stringify(health)}\n`));
  }

  /** One after the other: the last one holds. */
  #write(write: () => Promise<void>): void {
    this.#writing = this.#writing.then(write).catch((error: unknown) => {
      this.#options.log.warn({ error: String(error) }, 'upgrade: what it stands at could not be kept');
    });
  }
}
