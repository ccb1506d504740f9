import type { Clock, Timer } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { AnswerLengths } from './answer-lengths.js';
import { type EngineFacts, guessRates } from './decide/guess-rates.js';
import {
  readStoredKeyLength,
  readStoredLengths,
  readStoredRates,
  type StoredRates,
  storeKeyLength,
  storeLengths,
  storeRates,
} from './decide/stored-state.js';
import type { Rates } from './predict-types.js';
import type { ReplicaModel } from './replica-model.js';

/** What rates belong to: the same model on the same card by the same engine is as fast tomorrow. */
export interface EngineIdentity {
  readonly host: string;
  readonly model: string;
  /** The declared container image, or `external` and the engine's version. */
  readonly image: string;
}

export type LearnedChange =
  | (EngineIdentity & { readonly kind: 'learnedRates'; readonly state: string; readonly atMs: number })
  | { readonly kind: 'ratesForgotten'; readonly host: string; readonly model: string; readonly atMs: number }
  | {
      readonly kind: 'answerLengths';
      readonly role: string;
      /** `''`: the role's own. */
      readonly key: string;
      readonly state: string;
      readonly atMs: number;
    };

/** Where what is learned outlives the program. */
export interface LearnedMemory {
  /** The latest first. */
  load(): {
    readonly rates: readonly (EngineIdentity & { readonly state: string })[];
    readonly lengths: readonly { readonly role: string; readonly key: string; readonly state: string }[];
  };
  /** Never blocks, never throws. */
  save(change: LearnedChange): void;
}

/** An engine whose rates are to be kept. */
export interface KeptEngine {
  readonly identity: EngineIdentity;
  readonly facts: EngineFacts;
  readonly model: ReplicaModel;
}

const SAVE_EVERY_MS = 60_000;
const MOST_RECORDS = 5_000;

interface StoredRecord extends EngineIdentity {
  readonly state: string;
}

/** Saves what changed once a minute and at the end, and gives it to engines that begin. */
export class LearnedKeeper {
  readonly #memory: LearnedMemory;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #lengths: AnswerLengths;
  readonly #engines: () => Iterable<KeptEngine>;
  readonly #timer: Timer;
  /** By identity; what was written last is last. */
  readonly #records = new Map<string, StoredRecord>();
  readonly #saved = new WeakMap<ReplicaModel, number>();
  #damaged = 0;

  /** @param engines those that there are now */
  constructor(
    memory: LearnedMemory,
    parts: {
      readonly clock: Clock;
      readonly log: Logger;
      readonly lengths: AnswerLengths;
      readonly engines: () => Iterable<KeptEngine>;
    },
  ) {
    this.#memory = memory;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#lengths = parts.lengths;
    this.#engines = parts.engines;
    const { rates, lengths } = memory.load();
    for (const record of rates.toReversed()) this.#records.set(keyOf(record), record);
    for (const { role, key, state } of lengths) this.#restoreLengths(role, key, state);
    if (this.#damaged > 0) this.#tellDamaged('answer lengths');
    this.#timer = parts.clock.every(SAVE_EVERY_MS, () => this.save());
  }

  /**
   * Gives an engine that has not answered yet what is known of it: its own rates of earlier; else those of the same model
   * and image on another host with the same card, or of another image here, to begin with; else a guess.
   */
  prepare({ identity, facts, model }: KeptEngine): void {
    if (model.learned.observations > 0) return;
    const own = this.#read(this.#records.get(keyOf(identity)));
    if (own !== null) {
      model.learned.restore(own);
      this.#saved.set(model, model.learned.changes);
      return;
    }
    const relative = this.#relativeOf(identity, facts.card);
    if (relative === null) model.learned.adoptPrior(guessRates(facts), null);
    else model.learned.adoptPrior(relative.rates, relative.bytesPerToken);
  }

  /** Forgets what was learned of a model on a host, whatever its image. */
  forget({ identity, facts, model }: KeptEngine): void {
    const { host, model: name } = identity;
    for (const [key, record] of this.#records) {
      if (record.host === host && record.model === name) this.#records.delete(key);
    }
    this.#memory.save({ kind: 'ratesForgotten', host, model: name, atMs: this.#clock.nowMs() });
    model.learned.forget(guessRates(facts));
    this.#saved.set(model, model.learned.changes);
  }

  save(): void {
    const atMs = this.#clock.nowMs();
    for (const { identity, facts, model } of this.#engines()) {
      if (model.learned.observations === 0 || this.#saved.get(model) === model.learned.changes) continue;
      this.#saved.set(model, model.learned.changes);
      const state = storeRates({ ...model.learned.snapshot(), card: facts.card });
      const { host, model: name, image } = identity;
      this.#remember({ host, model: name, image, state });
      this.#memory.save({ kind: 'learnedRates', host, model: name, image, state, atMs });
    }
    for (const { role, key, lengths, own } of this.#lengths.takeChanged()) {
      const state = own === null ? storeLengths(lengths) : storeKeyLength(own);
      this.#memory.save({ kind: 'answerLengths', role, key, state, atMs });
    }
  }

  close(): void {
    this.#timer.cancel();
    this.save();
  }

  #remember(record: StoredRecord): void {
    const key = keyOf(record);
    this.#records.delete(key);
    this.#records.set(key, record);
    if (this.#records.size <= MOST_RECORDS) return;
    for (const oldest of this.#records.keys()) {
      this.#records.delete(oldest);
      return;
    }
  }

  #relativeOf(identity: EngineIdentity, card: string | null): { rates: Rates; bytesPerToken: number } | null {
    let here: StoredRates | null = null;
    for (const record of [...this.#records.values()].toReversed()) {
      if (record.model !== identity.model) continue;
      const isHere = record.host === identity.host;
      if (!isHere && (record.image !== identity.image || card === null)) continue;
      const stored = this.#read(record);
      if (stored === null) continue;
      if (!isHere && stored.card === card) return stored;
      if (isHere) here ??= stored;
    }
    return here;
  }

  /** What cannot be read is dropped, and said once. */
  #read(record: StoredRecord | undefined): StoredRates | null {
    if (record === undefined) return null;
    const stored = readStoredRates(record.state);
    if (stored !== null) return stored;
    this.#records.delete(keyOf(record));
    this.#damaged += 1;
    const { host, model, image } = record;
    this.#tellDamaged(`rates of ${model} on ${host} (${image})`);
    return null;
  }

  #restoreLengths(role: string, key: string, state: string): void {
    if (key === '') {
      const lengths = readStoredLengths(state);
      if (lengths === null) this.#damaged += 1;
      else this.#lengths.restoreRole(role, lengths);
      return;
    }
    const own = readStoredKeyLength(state);
    if (own === null) this.#damaged += 1;
    else this.#lengths.restoreKey(role, key, own);
  }

  #tellDamaged(what: string): void {
    this.#log.warn(
      { what, damaged: this.#damaged },
      'what was learned earlier cannot be read and is dropped: it is learned anew',
    );
  }
}

function keyOf({ host, model, image }: EngineIdentity): string {
  return `${host}\0${model}\0${image}`;
}
