import type { Clock, Command, Timer } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { DeclaredSource } from '../declared/declared-state.js';
import type { LinkServer } from '../link/link-server.js';
import type { LiveChange, LiveHost } from '../live/live-view.js';
import { isOwnMachine, type OwnMachine } from './decide/is-own-machine.js';
import { planSleep, type SleepAction, type SleepPlan } from './decide/plan-sleep.js';
import {
  AWAKE,
  GOING_MS,
  isMachinesEnd,
  type SleepEffect,
  type SleepEvent,
  type SleepState,
  type SleepTerms,
  stepSleep,
} from './decide/step-sleep.js';
import type { FleetLive, FleetUse } from './fleet-parts.js';
import type { PowerBoard } from './power-board.js';
import type { PowerMemory } from './power-memory.js';
import { type LastSleep, SleepBook, type SleepCount } from './sleep-book.js';
import type { SleepAsk, SleepDesk, SleepEnd, SleepRefusal } from './sleep-desk.js';
import { SleepFacts } from './sleep-facts.js';

export interface SleepFleetParts {
  readonly live: FleetLive;
  readonly declared: DeclaredSource;
  readonly memory: PowerMemory;
  readonly board: PowerBoard;
  readonly link: Pick<LinkServer, 'ask' | 'protocolVersion'>;
  readonly use: FleetUse;
  readonly isWaking: (host: string) => boolean;
  readonly ownMachine: () => OwnMachine;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How a host stands with its sleep. */
export interface SleepStanding {
  /** `null`: it is not on its way. */
  readonly goingSinceMs: number | null;
  /** Whether it would sleep by itself now, and what keeps it from that. */
  readonly plan: SleepPlan;
  readonly last: LastSleep | null;
}

export interface SleepGauges {
  readonly underWay: number;
  readonly ended: readonly SleepCount[];
}

export type BegunSleep = SleepRefusal | { readonly kind: 'begun'; readonly settled: Promise<SleepEnd> };

const LOOK_EVERY_MS = 1_000;
const UNPARK_TTL_MS = 30_000;
/** A host that was asked in vain is left alone for so long, and longer where its idle time is. */
const REST_MS = 10 * 60_000;

/** One host on its way. */
interface Transition {
  state: SleepState;
  readonly hostId: string;
  readonly sinceMs: number;
  readonly settled: Promise<SleepEnd>;
  readonly settle: (end: SleepEnd) => void;
}

/** How a host is linked. `cut`: its link broke, and it is not known to be away. */
interface Seen {
  readonly link: 'linked' | 'cut' | 'away';
  /** Monotonic. */
  readonly sinceMs: number;
}

/** The one owner of hosts' sleep: one transition per host. */
export class SleepFleet implements SleepDesk {
  readonly #parts: SleepFleetParts;
  readonly #facts: SleepFacts;
  readonly #transitions = new Map<string, Transition>();
  readonly #seen = new Map<string, Seen>();
  /** Monotonic: since when it may be counted as idle, beside its requests. */
  readonly #upSince = new Map<string, number>();
  readonly #restUntil = new Map<string, number>();
  readonly #book = new SleepBook();
  readonly #closers: (() => void)[];
  readonly #looking: Timer;

  constructor(parts: SleepFleetParts) {
    this.#parts = parts;
    this.#facts = new SleepFacts({
      ...parts,
      isGoing: (host) => this.#transitions.has(host),
      upSinceMs: (host) => this.#upSince.get(host) ?? parts.clock.monotonicMs(),
      restUntilMs: (host) => this.#restUntil.get(host) ?? 0,
      lastRelayOf: (host) => parts.board.lastRelayOf(host),
      isOwn: (host) => isOwnMachine(host.inventory, parts.ownMachine()),
    });
    for (const host of parts.live.hosts()) this.#followHost(host);
    this.#closers = [parts.live.onChange((change) => this.#follow(change))];
    this.#looking = parts.clock.every(LOOK_EVERY_MS, () => this.#look());
  }

  close(): void {
    this.#looking.cancel();
    for (const close of this.#closers) close();
    for (const { settle } of this.#transitions.values()) {
      settle({ kind: 'failed', code: 'control_plane_stops', detail: 'the control plane stops' });
    }
  }

  async sleep(ask: SleepAsk): Promise<SleepEnd> {
    const begun = this.begin(ask);
    return begun.kind === 'refused' ? begun : begun.settled;
  }

  /** Joins the transition that is under way, whatever that leads to. */
  begin({ host: name, action, askedBy, reason, despiteGuards }: SleepAsk): BegunSleep {
    const under = this.#transitions.get(name);
    if (under) return { kind: 'begun', settled: under.settled };
    const host = this.#parts.live.host(name);
    if (host === undefined || host.hostId === null) {
      const detail = `host "${name}" has never joined`;
      return { kind: 'refused', code: 'not_here', detail, mayBeForced: false };
    }
    const plan = planSleep(this.#facts.of(host, { asker: askedBy, isForced: despiteGuards, action }));
    if (plan.kind === 'stay') {
      return { kind: 'refused', code: plan.guard, detail: plan.detail, mayBeForced: plan.mayBeForced };
    }
    const terms = { asker: askedBy, reason, isForced: despiteGuards };
    return { kind: 'begun', settled: this.#begin(host.name, host.hostId, plan.action, terms) };
  }

  isParked(host: string): boolean {
    const { hostId = null, presence } = this.#parts.live.host(host) ?? {};
    return presence === 'online' && this.#parts.memory.of(hostId).isParked;
  }

  async unpark(host: string): Promise<string | null> {
    const { link, memory, board, live, clock } = this.#parts;
    const end = await link.ask(host, { name: 'unpark' }, UNPARK_TTL_MS);
    if (end === null) return `${host} has no link`;
    if (end.result !== 'done') return end.detail ?? end.code ?? `its agent did not do it (${end.result})`;
    const hostId = live.host(host)?.hostId ?? null;
    // From here on it stays up for as long as after any wake.
    if (hostId !== null) memory.woken(hostId);
    this.#upSince.set(host, clock.monotonicMs());
    board.publish(host);
    return null;
  }

  callBack(host: string, reason: string): boolean {
    const transition = this.#transitions.get(host);
    if (transition) {
      this.#step(host, transition, { kind: 'cancel', why: reason });
      return !this.#transitions.has(host);
    }
    return this.#parts.live.host(host)?.presence === 'online' && !this.isParked(host);
  }

  /** @param forMs 0: no longer. @returns until when, wall clock */
  keepAwake(name: string, forMs: number, reason: string | null): number | null {
    const { live, memory, board, clock } = this.#parts;
    const hostId = live.host(name)?.hostId ?? null;
    if (hostId === null) return null;
    const untilMs = forMs > 0 ? clock.nowMs() + forMs : null;
    memory.keepAwake(hostId, untilMs, reason);
    if (untilMs !== null) this.callBack(name, 'an operator keeps it awake');
    board.publish(name);
    return untilMs;
  }

  gauges(): SleepGauges {
    return { underWay: this.#transitions.size, ended: this.#book.counts() };
  }

  standing(host: LiveHost): SleepStanding {
    const plan = planSleep(this.#facts.of(host, { asker: 'idle', isForced: false, action: null }));
    const goingSinceMs = this.#transitions.get(host.name)?.sinceMs ?? null;
    return { goingSinceMs, plan, last: this.#book.last(host.name) };
  }

  #begin(
    name: string,
    hostId: string,
    action: SleepAction,
    more: Pick<SleepTerms, 'asker' | 'reason' | 'isForced'>,
  ): Promise<SleepEnd> {
    const { declared, clock, log } = this.#parts;
    const drainMs = (declared.current().hosts.get(name)?.sleep.drainSeconds ?? 0) * 1000;
    let settle: Transition['settle'] = () => undefined;
    const settled = new Promise<SleepEnd>((resolve) => {
      settle = resolve;
    });
    const transition: Transition = { state: AWAKE, hostId, sinceMs: clock.nowMs(), settled, settle };
    this.#transitions.set(name, transition);
    log.info({ host: name, action, ...more }, 'a host is put to sleep');
    this.#step(name, transition, { kind: 'begin', terms: { action, drainMs, ...more } });
    this.#tick(name, transition);
    return settled;
  }

  #look(): void {
    const { live } = this.#parts;
    for (const host of live.hosts()) {
      const transition = this.#transitions.get(host.name);
      if (transition) this.#tick(host.name, transition);
      else this.#considerIdle(host);
    }
  }

  #considerIdle(host: LiveHost): void {
    const { declared, memory, clock, board } = this.#parts;
    const { name, hostId } = host;
    if (hostId === null) return;
    const { keepAwakeUntilMs } = memory.of(hostId);
    if (keepAwakeUntilMs !== null && keepAwakeUntilMs <= clock.nowMs()) {
      memory.keepAwake(hostId, null, null);
      board.touch(name);
    }
    const sleep = declared.current().hosts.get(name)?.sleep;
    if (host.presence !== 'online' || !sleep || sleep.afterIdleMinutes === null) return;
    const plan = planSleep(this.#facts.of(host, { asker: 'idle', isForced: false, action: null }));
    if (plan.kind === 'stay') return;
    const reason = `no request for ${sleep.afterIdleMinutes} min`;
    this.#begin(name, hostId, plan.action, { asker: 'idle', reason, isForced: false });
  }

  #tick(host: string, transition: Transition): void {
    this.#step(host, transition, { kind: 'tick', requestsInFlight: this.#parts.use.useOf(host).inflight });
  }

  #step(host: string, transition: Transition, event: SleepEvent): void {
    if (this.#transitions.get(host) !== transition) return;
    const before = transition.state;
    const { state, effects } = stepSleep(before, event, this.#parts.clock.monotonicMs());
    transition.state = state;
    if (state.name !== before.name && (state.name === 'draining' || state.name === 'going')) {
      const { action, reason } = state.terms;
      const { sinceMs } = transition;
      this.#parts.board.goesToSleep(host, { action, phase: state.name, sinceMs, reason });
    }
    for (const effect of effects) this.#perform(host, transition, effect);
  }

  #perform(host: string, transition: Transition, effect: SleepEffect): void {
    switch (effect.kind) {
      case 'ask':
        void this.#ask(host, transition, effect);
        return;
      case 'unpark':
        void this.unpark(host);
        return;
      case 'slept': {
        const { action, asker } = effect.terms;
        this.#parts.memory.slept(transition.hostId, action, asker);
        this.#end(host, transition, effect.terms, { kind: 'asleep', action });
        return;
      }
      case 'failed': {
        const { code, detail } = effect;
        this.#end(host, transition, effect.terms, { kind: 'failed', code, detail });
        return;
      }
      case 'cancelled':
        this.#end(host, transition, effect.terms, {
          ...{ kind: 'failed', code: 'called_back', detail: `it stays awake: ${effect.why}` },
        });
        return;
      case 'refused':
        return;
      default:
        effect satisfies never;
    }
  }

  async #ask(
    host: string,
    transition: Transition,
    { terms, drainMs }: Extract<SleepEffect, { kind: 'ask' }>,
  ): Promise<void> {
    const { live, link } = this.#parts;
    const drainSeconds = drainMs / 1000;
    const { action, reason } = terms;
    const bootId = live.host(host)?.inventory?.bootId ?? '';
    const command: Command =
      action === 'container-only'
        ? { name: 'park', drainSeconds }
        : { name: 'power', verb: action, bootId, drainSeconds, reason: reason.slice(0, 200) };
    const end = await link.ask(host, command, drainMs + GOING_MS);
    if (end === null) {
      const detail = `${host} has no link`;
      this.#step(host, transition, { kind: 'answered', ok: false, code: 'link_lost', detail });
      return;
    }
    const { result, code, detail } = end;
    if (result === 'expired') {
      // Of a link that has ended: whether the machine went with it is seen by whether it is back.
      if (this.#isLinked(host)) this.#step(host, transition, { kind: 'linked' });
      return;
    }
    this.#step(host, transition, {
      ...{ kind: 'answered', ok: result === 'done', code: code ?? result },
      detail: detail ?? `its agent did not do it (${result})`,
    });
  }

  #end(host: string, transition: Transition, { action, asker }: SleepTerms, end: SleepEnd): void {
    const { board, clock, log, declared } = this.#parts;
    this.#transitions.delete(host);
    const tookMs = clock.nowMs() - transition.sinceMs;
    this.#book.add(host, { atMs: clock.nowMs(), action, asker, end }, Math.max(0, tookMs));
    if (end.kind === 'asleep') log.info({ host, action, asker, tookMs }, 'a host went to sleep');
    else log.warn({ host, action, asker, tookMs, code: end.code, detail: end.detail }, 'a host stays awake');
    if (end.kind === 'failed') {
      const idleMs = (declared.current().hosts.get(host)?.sleep.afterIdleMinutes ?? 0) * 60_000;
      this.#restUntil.set(
        host,
        clock.monotonicMs() + (end.code === 'called_back' ? idleMs : REST_MS + idleMs),
      );
    }
    board.wentToSleep(host);
    transition.settle(end);
  }

  #follow(change: LiveChange): void {
    switch (change.kind) {
      case 'host':
        this.#followHost(change.host);
        return;
      case 'replica':
        this.#followReplica(change.replica.host, change.replica.deployment, change.replica.status.phase);
        return;
      case 'hostRemoved':
        this.#removed(change.name);
        return;
      case 'sample':
      case 'replicaRemoved':
        return;
      default:
        change satisfies never;
    }
  }

  #followHost({ name, presence, hostId, goodbyeReason }: LiveHost): void {
    const { clock, memory } = this.#parts;
    const before = this.#seen.get(name)?.link ?? 'away';
    const isHere = presence === 'online' || presence === 'late';
    const link = this.#isLinked(name) && isHere ? 'linked' : isHere ? 'cut' : 'away';
    if (link === before) return;
    this.#seen.set(name, { link, sinceMs: clock.monotonicMs() });
    const transition = this.#transitions.get(name);
    if (link === 'linked') {
      if (before === 'away') this.#upSince.set(name, clock.monotonicMs());
      if (transition) this.#step(name, transition, { kind: 'linked' });
      return;
    }
    // Its agent remembers it through its own end, not through one of the machine.
    if (link === 'away' && hostId !== null && isMachinesEnd(goodbyeReason)) memory.unparked(hostId);
    if (!transition) return;
    if (link === 'away' || transition.state.name === 'draining') {
      this.#step(name, transition, { kind: 'unlinked', goodbyeReason });
    }
  }

  /** What is ready is not parked: its machine was started anew, or its agent is one that forgets. */
  #followReplica(host: string, deployment: string, phase: string): void {
    const { declared, live, memory, board } = this.#parts;
    if (phase !== 'ready' || !this.isParked(host)) return;
    if (declared.current().deployments.get(deployment)?.engine !== 'vllm') return;
    const hostId = live.host(host)?.hostId ?? null;
    if (hostId !== null) memory.unparked(hostId);
    board.touch(host);
  }

  #removed(host: string): void {
    const transition = this.#transitions.get(host);
    this.#transitions.delete(host);
    transition?.settle({ kind: 'failed', code: 'removed', detail: 'the host was removed' });
    this.#book.forget(host);
    for (const map of [this.#seen, this.#upSince, this.#restUntil]) map.delete(host);
  }

  #isLinked(host: string): boolean {
    return this.#parts.link.protocolVersion(host) !== null;
  }
}
