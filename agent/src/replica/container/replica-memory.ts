import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import { type PrivateFiles, StateFileError } from '../../identity/private-files.js';
import {
  addPhaseTime,
  type PhaseTimes,
  type TimedPhase,
  type UsualTimes,
  usualPhaseTime,
} from './decide/phase-times.js';

const secondsSchema = z.array(z.number().min(0)).max(32).optional();
const phaseTimesSchema = z.object({
  pulling: secondsSchema,
  creating: secondsSchema,
  starting: secondsSchema,
  loading: secondsSchema,
  warming: secondsSchema,
});
const replicaSchema = z.object({
  /** The engine's key: made here, and told to nobody but the engine, the tunnel and, in direct reach, the control plane. */
  key: z.string().min(16).max(200),
  adoptedId: z.string().max(80).nullable(),
  /** The name that it was adopted by; `null`: it was not told yet. */
  adoptedAs: z.string().max(200).nullable().default(null),
  restartsDone: z.int().min(0).nullable(),
  /** How many fallbacks are in force, for which declaration and which card. */
  rung: z
    .object({
      baseHash: z.string().max(80),
      count: z.int().min(0).max(8),
      /** What is too much for one card may fit another. */
      card: z.string().max(80).nullable().default(null),
    })
    .nullable(),
  /** The cards and the port that its container was made with. */
  cards: z.array(z.string().max(80)).max(16),
  port: z.int().min(1).max(65_535).nullable(),
});
const weightsSchema = z.object({
  /** All that it loads is in the cache. */
  complete: z.boolean(),
  /** Of the files of weights. */
  weightBytes: z.int().min(0).nullable(),
  /** It did not load without the hub, whatever the cache looks like. */
  distrusted: z.boolean(),
});
const memorySchema = z.object({
  version: z.literal(1),
  replicas: z.record(z.string().max(120), replicaSchema),
  /** By model. */
  phaseTimes: z.record(z.string().max(200), phaseTimesSchema),
  /** By "card model settings" (`footprintName`): what it took of the card, in bytes. An earlier agent left out the settings. */
  footprints: z.record(z.string().max(300), z.int().min(0)),
  /** The address of this host that its link left from last. */
  linkAddress: z.string().max(60).nullable().default(null),
  /** By "model revision". */
  weights: z.record(z.string().max(350), weightsSchema).default({}),
});

export type KnownWeights = Pick<z.infer<typeof weightsSchema>, 'complete' | 'weightBytes'>;
export type RememberedReplica = z.infer<typeof replicaSchema>;
type Memory = z.infer<typeof memorySchema>;

const FILE = 'replicas.json';
const MAX_MODELS = 24;
const MAX_FOOTPRINTS = 64;

/** What this agent must know of its replicas after a restart, in one private file. Writes are whole or not at all. */
export class ReplicaMemory {
  readonly #path: string;
  readonly #files: PrivateFiles;
  readonly #log: Logger;
  #memory: Memory;
  #dirty = false;
  #writing: Promise<void> | null = null;

  private constructor(path: string, files: PrivateFiles, log: Logger, memory: Memory) {
    this.#path = path;
    this.#files = files;
    this.#log = log;
    this.#memory = memory;
  }

  /** @throws StateFileError where the file is damaged: with another key, what runs could not be used any more */
  static async open(directory: string, files: PrivateFiles, log: Logger): Promise<ReplicaMemory> {
    const path = join(directory, FILE);
    const text = await files.read(path);
    if (text === null) {
      return new ReplicaMemory(path, files, log, {
        version: 1,
        replicas: {},
        phaseTimes: {},
        footprints: {},
        linkAddress: null,
        weights: {},
      });
    }
    const parsed = memorySchema.safeParse(parseJson(text));
    if (parsed.success) return new ReplicaMemory(path, files, log, parsed.data);
    const issue = parsed.error.issues[0];
    throw new StateFileError(
      `${path} is damaged (${issue?.path.join('.') || 'whole file'}: ${issue?.message ?? 'invalid'}). ` +
        'Fix: put back a backup, or move it away: containers that this agent made are then made anew.',
    );
  }

  /** Made on first use, with a key of its own. */
  replica(deployment: string): RememberedReplica {
    const known = this.#memory.replicas[deployment];
    if (known !== undefined) return known;
    const made: RememberedReplica = {
      key: randomBytes(32).toString('base64url'),
      adoptedId: null,
      adoptedAs: null,
      restartsDone: null,
      rung: null,
      cards: [],
      port: null,
    };
    this.#memory.replicas[deployment] = made;
    this.#save();
    return made;
  }

  update(deployment: string, change: Partial<Omit<RememberedReplica, 'key'>>): void {
    this.#memory.replicas[deployment] = { ...this.replica(deployment), ...change };
    this.#save();
  }

  forget(deployment: string): void {
    delete this.#memory.replicas[deployment];
    this.#save();
  }

  get linkAddress(): string | null {
    return this.#memory.linkAddress;
  }

  noteLinkAddress(linkAddress: string): void {
    if (linkAddress === this.#memory.linkAddress) return;
    this.#memory = { ...this.#memory, linkAddress };
    this.#save();
  }

  usualTime(model: string, phase: TimedPhase): UsualTimes | null {
    return usualPhaseTime((this.#memory.phaseTimes[model] ?? {}) as PhaseTimes, phase);
  }

  addPhaseTime(model: string, phase: TimedPhase, seconds: number): void {
    const { phaseTimes } = this.#memory;
    const times = addPhaseTime((phaseTimes[model] ?? {}) as PhaseTimes, phase, seconds);
    // Put last again: the model that was used longest ago is the first to be forgotten.
    delete phaseTimes[model];
    phaseTimes[model] = times as Memory['phaseTimes'][string];
    forgetFirst(phaseTimes, MAX_MODELS);
    this.#save();
  }

  /** @param name a `footprintName` @returns bytes that it took of the card with these very settings */
  footprint(card: string, name: string): number | null {
    return this.#memory.footprints[`${card} ${name}`] ?? null;
  }

  /** Of the model with whatever settings it had last, which an earlier agent did not note: better than nothing. */
  footprintOfModel(card: string, model: string): number | null {
    const { footprints } = this.#memory;
    const plain = `${card} ${model}`;
    const last = Object.keys(footprints).findLast((each) => each === plain || each.startsWith(`${plain} `));
    return last === undefined ? null : (footprints[last] ?? null);
  }

  learnFootprint(card: string, name: string, bytes: number): void {
    const { footprints } = this.#memory;
    const key = `${card} ${name}`;
    delete footprints[key];
    footprints[key] = Math.round(bytes);
    forgetFirst(footprints, MAX_FOOTPRINTS);
    this.#save();
  }

  /** Of a model's files in the cache, as they were last seen. `null`: nobody looked. */
  weights(model: string, revision: string | null): KnownWeights | null {
    const known = this.#memory.weights[weightsName(model, revision)];
    if (known === undefined) return null;
    return { complete: known.complete && !known.distrusted, weightBytes: known.weightBytes };
  }

  learnWeights(model: string, revision: string | null, { complete, weightBytes }: KnownWeights): void {
    const { weights } = this.#memory;
    const name = weightsName(model, revision);
    const distrusted = weights[name]?.distrusted ?? false;
    delete weights[name];
    weights[name] = { complete, weightBytes, distrusted };
    forgetFirst(weights, MAX_FOOTPRINTS);
    this.#save();
  }

  /** What looked whole did not load without the hub: not tried again until its files are others. */
  distrustWeights(model: string, revision: string | null): void {
    const weightBytes = this.weights(model, revision)?.weightBytes ?? null;
    this.#memory.weights[weightsName(model, revision)] = { complete: false, weightBytes, distrusted: true };
    this.#save();
  }

  /** The model's files changed. */
  forgetWeights(model: string): void {
    for (const name of Object.keys(this.#memory.weights)) {
      if (name.startsWith(`${model} `)) delete this.#memory.weights[name];
    }
    this.#save();
  }

  /** Resolves when all that was said before is on the disk. @throws StateFileError */
  async flush(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
    if (this.#dirty) await this.#write();
  }

  #save(): void {
    this.#dirty = true;
    this.#writing ??= Promise.resolve()
      .then(() => this.#write())
      .catch((error: unknown) => {
        this.#log.warn({ error: String(error) }, 'replicas: what was learnt of them could not be kept');
      })
      .finally(() => {
        this.#writing = null;
      });
  }

  async #write(): Promise<void> {
    while (this.#dirty) {
      this.#dirty = false;
      try {
        await this.#files.write(this.#path, `${JSON.stringify(this.#memory)}\n`);
      } catch (error) {
        this.#dirty = true;
        throw error;
      }
    }
  }
}

function weightsName(model: string, revision: string | null): string {
  return `${model} ${revision ?? ''}`;
}

function forgetFirst(record: Record<string, unknown>, most: number): void {
  for (const name of Object.keys(record).slice(0, Math.max(0, Object.keys(record).length - most))) {
    delete record[name];
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
