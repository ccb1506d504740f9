import type { Clock, GpuReading, OwnerReport, OwnYield, YieldSettings } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { HoldTerms } from '../replica/decide/combine-holds.js';
import type { SessionFacts } from '../sensors/session/decide/session-facts.js';
import { describeOwnUse, type OwnReplica } from './decide/describe-own-use.js';
import { describeOwner } from './decide/describe-owner.js';
import {
  type CardBaseline,
  type ForeignUse,
  judgeForeignUse,
  NO_BASELINE,
  UNKNOWN_USE,
} from './decide/judge-foreign-use.js';
import { mergeYieldSettings } from './decide/merge-yield-settings.js';
import { newOwnerState, type OwnerEvent, type OwnerState, stepOwner } from './decide/step-owner.js';
import type { OwnerMemory } from './owner-memory.js';

/** The part of the replicas that can be held down for the owner. */
export interface HeldReplicas {
  holdDown(reason: 'owner', terms: HoldTerms): Promise<void>;
  release(reason: 'owner'): void;
}

export interface OwnerDeskOptions {
  readonly memory: OwnerMemory;
  /** What the owner says in their own file: it goes before what is declared. */
  readonly ownYield: OwnYield;
  readonly replicas: HeldReplicas;
  /** `null`: what is ours is not known yet, so that nothing can be told of others. By card. */
  readonly own: (card: string) => readonly OwnReplica[] | null;
  readonly sessions: () => SessionFacts;
  /** Names of others' processes on the cards, the largest first. Never rejects. */
  readonly listProcesses: (signal: AbortSignal) => Promise<readonly string[]>;
  /** Called when anything of the report but a number changed. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Until a control plane has said otherwise: one that knows nothing of owners would not understand why a card is gone. */
const SETTINGS_UNTIL_TOLD: YieldSettings = {
  automatic: false,
  drainSeconds: 10,
  action: 'stop',
  quietSeconds: 300,
  vramBytes: 1.5e9,
  utilisationRatio: 0.3,
};

/** What the desktop takes is kept that often, beside each change of who has the cards. */
const KEEP_EVERY_MS = 600_000;

/** Sees to it that the owner of this host comes first. One owner of its state; everybody else sends it events. */
export class OwnerDesk {
  readonly #options: OwnerDeskOptions;
  readonly #closing = new AbortController();
  readonly #baselines = new Map<string, CardBaseline>();
  readonly #busyAtMs = new Map<string, number>();
  /** As told by a control plane; `null`: never. */
  #declared: YieldSettings | null;
  #settings: YieldSettings;
  #state: OwnerState;
  #processes: readonly string[] = [];
  #keptAtMs: number;
  #told = '';
  #holds = 0;

  constructor(options: OwnerDeskOptions) {
    this.#options = options;
    const { claims, settings, desktops } = options.memory.known;
    const nowMs = options.clock.monotonicMs();
    this.#keptAtMs = nowMs;
    this.#declared = settings;
    this.#settings = mergeYieldSettings(settings ?? SETTINGS_UNTIL_TOLD, options.ownYield);
    this.#state = newOwnerState(nowMs, claims);
    for (const [card, { bytes, utilisationRatio }] of Object.entries(desktops)) {
      const known = { desktopBytes: bytes, desktopUtilisationRatio: utilisationRatio };
      this.#baselines.set(card, { ...NO_BASELINE, ...known });
    }
  }

  /** Goes on with what was said before the agent was stopped. Before any replica is started. */
  start(): void {
    this.#told = this.#signature();
    if (this.#state.phase === 'yielding') this.#hold();
  }

  /** A new sample of the cards, by UUID. */
  sampled(cards: Readonly<Record<string, GpuReading>>): void {
    const uses = Object.entries(cards).map(([card, reading]) => this.#judge(card, reading));
    this.#apply({ kind: 'sampled', use: worstOf(uses) });
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#keptAtMs >= KEEP_EVERY_MS) void this.#save();
  }

  /** Resolves when it is kept; the cards may be freed later. */
  async ask(by: 'owner' | 'operator', yields: boolean): Promise<void> {
    this.#options.log.info({ by, yields }, 'owner: the cards were asked for or given back');
    this.#apply({ kind: 'asked', by, yields });
    await this.#save();
  }

  async changeSettings(settings: YieldSettings): Promise<void> {
    this.#declared = settings;
    this.#settings = mergeYieldSettings(settings, this.#options.ownYield);
    this.#apply({ kind: 'settings' });
    await this.#save();
  }

  report(): OwnerReport {
    const { sessions, clock } = this.#options;
    const seen = { ...sessions(), processes: this.#processes };
    return describeOwner(this.#state, this.#settings, seen, clock.monotonicMs(), process.platform);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#save();
  }

  #judge(card: string, reading: GpuReading): ForeignUse {
    const { clock, own } = this.#options;
    const nowMs = clock.monotonicMs();
    const replicas = own(card);
    if (replicas === null) return UNKNOWN_USE;
    if (replicas.some(({ busy }) => busy)) this.#busyAtMs.set(card, nowMs);
    const busyAtMs = this.#busyAtMs.get(card) ?? Number.NEGATIVE_INFINITY;
    const { vramUsedBytes: usedBytes, vramTotalBytes: totalBytes, utilisationRatio } = reading;
    const { baseline, use } = judgeForeignUse(
      this.#baselines.get(card) ?? NO_BASELINE,
      { usedBytes, totalBytes, utilisationRatio },
      describeOwnUse(card, replicas, busyAtMs, nowMs),
      this.#settings.vramBytes,
      nowMs,
    );
    this.#baselines.set(card, baseline);
    return use;
  }

  #apply(event: OwnerEvent): void {
    if (this.#closing.signal.aborted) return;
    const before = this.#state;
    const { clock, log, replicas } = this.#options;
    const { state, effects } = stepOwner(before, event, this.#settings, clock.monotonicMs());
    this.#state = state;
    if (state.phase !== before.phase) {
      const { state: phase, cause, detail, freedSeconds, ...use } = this.report();
      const { foreignVramBytes, foreignUtilisationRatio } = use;
      log.info({ cause, detail, freedSeconds, foreignVramBytes, foreignUtilisationRatio }, `owner: ${phase}`);
    }
    for (const effect of effects) {
      if (effect === 'hold') this.#hold();
      else if (effect === 'release') replicas.release('owner');
      else void this.#save();
    }
    if (state.claims.foreign && !before.claims.foreign) void this.#nameProcesses();
    if (!state.claims.foreign && before.claims.foreign) this.#processes = [];
    this.#tell();
  }

  /** Asks until the cards are free, or nobody wants them any more. */
  #hold(): void {
    const { replicas, log } = this.#options;
    const { action, drainSeconds } = this.#settings;
    this.#holds += 1;
    const hold = this.#holds;
    const isOver = (): boolean =>
      this.#closing.signal.aborted || this.#state.phase !== 'yielding' || hold !== this.#holds;
    replicas.holdDown('owner', { action, drainSeconds }).then(
      () => {
        if (!isOver()) this.#apply({ kind: 'freed' });
      },
      (error: unknown) => {
        if (isOver()) return;
        log.warn({ error: String(error) }, 'owner: the cards are not free yet');
        this.#hold();
      },
    );
  }

  async #nameProcesses(): Promise<void> {
    const processes = await this.#options.listProcesses(this.#closing.signal);
    if (!this.#state.claims.foreign) return;
    this.#processes = processes;
    this.#tell();
  }

  async #save(): Promise<void> {
    this.#keptAtMs = this.#options.clock.monotonicMs();
    const desktops = [...this.#baselines].map(([card, { desktopBytes, desktopUtilisationRatio }]) => [
      card,
      { bytes: desktopBytes, utilisationRatio: desktopUtilisationRatio },
    ]);
    await this.#options.memory.save({
      claims: this.#state.claims,
      settings: this.#declared,
      desktops: Object.fromEntries(desktops),
    });
  }

  /** All of which a change is told at once: not the numbers. */
  #signature(): string {
    const { state, cause, detail, present, remoteSession, processes } = this.report();
    return JSON.stringify([state, cause, detail, present, remoteSession, processes]);
  }

  #tell(): void {
    const signature = this.#signature();
    if (signature === this.#told) return;
    this.#told = signature;
    this.#options.onChange();
  }
}

/** A host yields as a whole: the card that others use most counts. */
function worstOf(uses: readonly ForeignUse[]): ForeignUse {
  return uses.reduce(
    (worst, { vramBytes, utilisationRatio }) => ({
      vramBytes: most(worst.vramBytes, vramBytes),
      utilisationRatio: most(worst.utilisationRatio, utilisationRatio),
    }),
    UNKNOWN_USE,
  );
}

function most(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.max(one, other);
}
