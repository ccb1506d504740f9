import {
  type Claim,
  type HeldRequest,
  type RouteRequest,
  RouterStage,
  type WaitDecision,
} from '@ai-fabric/control-plane/testing';
import { emptyEngineReading } from '@ai-fabric/shared';
import { seededRandom } from '@ai-fabric/shared/testing';
import { at } from './at.js';
import { EventQueue, LabClock } from './event-queue.js';
import { hashText } from './hash-text.js';
import type { LabPrefix } from './lab-prefix.js';

const SLOTS = 8;
const BATCH = 20;
const DECISIONS = 2_000;
const CONVERSATIONS = 500;
const BOUNDARIES = 8;
const CHECK_EVERY = 10_000;
/** Requests that wait while others come to wait and leave, and how many do. */
const WAITING = 200;
const HOLDS = 20_000;
const KEYS = 16;
/** Shares of the steps of the ledger's check. The rest are ends. */
const STARTS = 0.47;
const FIRST_BYTES = 0.05;
const CRASHES = 0.0001;
const NOTHING_TRIED: ReadonlySet<string> = new Set();
const SUCCEEDED = { kind: 'succeeded', promptTokens: 300, completionTokens: 100 } as const;
const ABORTED = { kind: 'neutral' } as const;

/** A busy router, asked directly: what its decisions cost, and whether its ledger stays exact. */
export class RouterLoad {
  readonly #clock = new LabClock(new EventQueue());
  readonly #names: readonly string[];
  readonly #stage: RouterStage;
  readonly #random = seededRandom(7);
  /** Of 4 KB each. */
  readonly #prefixes = Array.from({ length: CONVERSATIONS }, (_, index) => prefixOf(index));
  #requests = 0;

  constructor(replicas: number) {
    this.#names = Array.from({ length: replicas }, (_, index) => `replica-${index}`);
    const staged = this.#names.map((deployment) => ({ deployment, slots: SLOTS, isReady: true }));
    const defer = (run: () => void): void => run();
    this.#stage = new RouterStage(staged, { clock: this.#clock, random: seededRandom(11), defer });
  }

  /** @returns microseconds for one selection and its claim, every replica with requests and readings of its own */
  decisionMicros(): number {
    let spentMs = 0;
    for (let done = 0; done < DECISIONS; done += BATCH) {
      this.#passTime();
      const claims: (Claim | null)[] = [];
      const startedAtMs = performance.now();
      for (let index = 0; index < BATCH; index += 1) claims.push(this.#take());
      spentMs += performance.now() - startedAtMs;
      for (const claim of claims) claim?.release(SUCCEEDED);
    }
    return (spentMs * 1_000) / DECISIONS;
  }

  /** @returns microseconds for coming to wait and leaving, many keys and classes waiting already */
  holdMicros(): number {
    const { router } = this.#stage;
    const all = Array.from({ length: WAITING }, (_, index) => ({
      held: heldOf(index),
      wait: this.#wait(index),
    }));
    const tickets = all.map(({ held, wait }) => router.hold(held, wait));
    const startedAtMs = performance.now();
    for (let round = 0; round < HOLDS / WAITING; round += 1) {
      for (const { held, wait } of all) router.hold(held, wait)?.leave();
    }
    const spentMs = performance.now() - startedAtMs;
    for (const ticket of tickets) ticket?.leave();
    return (spentMs * 1_000) / HOLDS;
  }

  #wait(index: number): WaitDecision {
    const waitsFor = index % 3 === 0 ? this.#names.slice(0, 2) : this.#names;
    const more = { detail: '', patienceMs: 50_000, considered: [] };
    return { kind: 'wait', reason: 'full', waitsFor, lookAgainInMs: 100 + (index % 50), ...more };
  }

  /** @returns how often the router's count of a replica was not ours, over so many random steps */
  ledgerMismatches(steps: number): number {
    const open: Claim[] = [];
    let mismatches = 0;
    for (let step = 1; step <= steps; step += 1) {
      const draw = this.#random();
      if (draw < STARTS) {
        const claim = this.#take();
        if (claim !== null) open.push(claim);
      } else if (draw < STARTS + FIRST_BYTES) open[0]?.answered();
      else if (draw < 1 - CRASHES) this.#releaseOne(open);
      else this.#crash(open);
      if (step % 50 === 0) this.#passTime();
      if (step % CHECK_EVERY === 0) mismatches += this.#compare(open);
    }
    for (const claim of open.splice(0)) claim.release(ABORTED);
    return mismatches + this.#compare(open);
  }

  #take(): Claim | null {
    this.#requests += 1;
    const conversation = this.#requests % CONVERSATIONS;
    const request: RouteRequest = {
      resolved: this.#stage.resolved,
      task: 'chat',
      estimatedPromptTokens: 100 + (this.#requests % 1_000),
      excluded: NOTHING_TRIED,
      mayCloud: false,
      mayWait: true,
      hints: {
        ...{ key: conversation % 2 === 0 ? 'even' : 'odd', promptBytes: 4_000, streams: true, choices: 1 },
        ...{ session: conversation, prefix: this.#prefixes[conversation] ?? null },
      },
    };
    const decision = this.#stage.router.select(request);
    return decision.kind === 'send' ? this.#stage.router.claim(decision, request) : null;
  }

  /** Mostly successes; a second release of the same claim now and then, which must do nothing. */
  #releaseOne(open: Claim[]): void {
    const index = Math.floor(this.#random() * open.length);
    const claim = open[index];
    const last = open.pop();
    if (claim === undefined || last === undefined) return;
    if (claim !== last) open[index] = last;
    const draw = this.#random();
    claim.release(draw < 0.9 ? SUCCEEDED : draw < 0.99 ? ABORTED : { kind: 'failed', code: 'reset' });
    if (draw > 0.95) claim.release(SUCCEEDED);
  }

  /** A replica goes with all that it has, and is back at once. */
  #crash(open: Claim[]): void {
    const name = at(this.#names, Math.floor(this.#random() * this.#names.length));
    this.#stage.phase(name, 'loading');
    for (const claim of open.filter(({ target }) => target === name)) {
      claim.release({ kind: 'failed', code: 'reset' });
      open.splice(open.indexOf(claim), 1);
    }
    this.#stage.phase(name, 'ready');
  }

  #compare(open: readonly Claim[]): number {
    const { targets } = this.#stage.router.gauges();
    return targets.filter(
      ({ target, inflight }) => inflight !== open.filter((claim) => claim.target === target).length,
    ).length;
  }

  /** A millisecond, and a reading of one replica. */
  #passTime(): void {
    this.#clock.moveTo(this.#clock.monotonicMs() + 1);
    const name = at(this.#names, this.#requests % this.#names.length);
    const running = Math.floor(this.#random() * SLOTS);
    this.#stage.reading(name, { ...emptyEngineReading, running, waiting: 0, kvUsageRatio: this.#random() });
  }
}

function heldOf(index: number): HeldRequest {
  const requestClass = (['interactive', 'normal', 'batch'] as const)[index % 3] ?? 'normal';
  return {
    ...{ key: `key-${index % KEYS}`, role: 'chat', requestClass, bytes: 1_000 },
    patienceEndsAtMs: 50_000 + (index % 1_000),
    lookAgain: () => null,
    patienceOver: () => undefined,
    displaced: () => undefined,
  };
}

function prefixOf(conversation: number): LabPrefix {
  const atBytes = Uint32Array.from({ length: BOUNDARIES }, (_, index) => 512 * (index + 1));
  const words = Uint32Array.from(
    Array.from(atBytes).flatMap((bytes) => [...hashText(`conversation ${conversation} ${bytes}`)]),
  );
  return { length: BOUNDARIES, words, atBytes };
}
