import type { EngineReading, Random } from '@ai-fabric/shared';
import { at } from '../at.js';
import type { LabPolicy, LabPort, NamedPolicy, SendFailure } from '../lab-policy.js';
import type { LabRequest } from '../workload.js';

/** A rule that picks a replica for a request and sends it at once. */
export interface Rival {
  /** @param among never empty */
  choose(request: LabRequest, among: readonly number[]): number;
  sent?(request: LabRequest, replica: number): void;
  ended?(request: LabRequest, replica: number): void;
  reading?(replica: number, reading: EngineReading): void;
}

/** Who fails is left out for so long: the default of nginx (`max_fails=1 fail_timeout=10s`). */
const LEFT_OUT_MS = 10_000;
const MOST_ATTEMPTS = 4;

/** What all rivals get beside their rule: ready replicas alone, those that just failed last, and other attempts. */
export function rival(name: string, create: (port: LabPort) => Rival): NamedPolicy {
  return { name, create: (port) => new RivalPolicy(port, create(port)) };
}

class RivalPolicy implements LabPolicy {
  readonly #port: LabPort;
  readonly #rule: Rival;
  readonly #failedAtMs: number[];
  readonly #tried = new Map<LabRequest, Set<number>>();

  constructor(port: LabPort, rule: Rival) {
    this.#port = port;
    this.#rule = rule;
    this.#failedAtMs = port.replicas.map(() => Number.NEGATIVE_INFINITY);
  }

  arrive(request: LabRequest): void {
    const tried = this.#tried.get(request);
    const ready = [...this.#port.replicas.keys()].filter(
      (replica) => this.#port.isReady(replica) && tried?.has(replica) !== true,
    );
    const nowMs = this.#port.clock.monotonicMs();
    const sound = ready.filter((replica) => nowMs - at(this.#failedAtMs, replica) >= LEFT_OUT_MS);
    const among = sound.length > 0 ? sound : ready;
    if (among.length === 0 || (tried?.size ?? 0) >= MOST_ATTEMPTS) {
      this.#tried.delete(request);
      this.#port.giveUp(request);
      return;
    }
    const replica = this.#rule.choose(request, among);
    this.#rule.sent?.(request, replica);
    this.#port.send(request, replica);
  }

  whole(request: LabRequest, replica: number): void {
    this.#tried.delete(request);
    this.#rule.ended?.(request, replica);
  }

  failed(request: LabRequest, replica: number, failure: SendFailure, mayRetry: boolean): void {
    this.#rule.ended?.(request, replica);
    if (failure !== 'full') this.#failedAtMs[replica] = this.#port.clock.monotonicMs();
    if (!mayRetry) {
      this.#tried.delete(request);
      this.#port.giveUp(request);
      return;
    }
    const tried = this.#tried.get(request) ?? new Set();
    this.#tried.set(request, tried.add(replica));
    this.arrive(request);
  }

  reading(replica: number, reading: EngineReading): void {
    this.#rule.reading?.(replica, reading);
  }
}

/** The one with the least of something, one of them at random where several have it. */
export function pickLeast(
  among: readonly number[],
  amount: (replica: number) => number,
  random: Random,
): number {
  let least = Number.POSITIVE_INFINITY;
  let best: number[] = [];
  for (const replica of among) {
    const value = amount(replica);
    if (value < least) {
      least = value;
      best = [replica];
    } else if (value === least) best.push(replica);
  }
  return pickAny(best.length > 0 ? best : among, random);
}

export function pickAny(among: readonly number[], random: Random): number {
  return at(among, Math.floor(random() * among.length));
}

/** Counts what was sent to each replica and has not ended. */
export class InFlight {
  readonly #counts: number[];

  constructor(replicas: number) {
    this.#counts = Array.from({ length: replicas }, () => 0);
  }

  of(replica: number): number {
    return at(this.#counts, replica);
  }

  change(replica: number, by: 1 | -1): void {
    this.#counts[replica] = this.of(replica) + by;
  }
}
