import { type Clock, type GoodbyeReason, goodbyeReasonSchema, type Timer } from '@ai-fabric/shared';
import type { DeclaredDeployment, DeclaredSource } from '../declared/declared-state.js';
import type { LiveChange, LiveHost } from '../live/live-view.js';
import type { ListedWake, WakeAsker } from '../registry/power-types.js';
import { explainFailure } from './decide/explain-failure.js';
import { judgeAttendance } from './decide/judge-attendance.js';
import { whyNotTried } from './decide/judge-wakeability.js';
import { planWake } from './decide/plan-wake.js';
import type { FlightEnd } from './decide/step-flight.js';
import { Flight, type FlightEffects } from './flight.js';
import { type FlightCallParts, FlightCalls } from './flight-calls.js';
import type { WakeStanding } from './power-board.js';
import type { PowerMemory } from './power-memory.js';
import type { PowerMeter } from './power-meter.js';
import type { SleepDesk } from './sleep-desk.js';
import { WakeBook } from './wake-book.js';
import { isAwake, WakeCandidates } from './wake-candidates.js';
import type { WakeAsk, WakeDesk, WakeRefusal, WakeTicket } from './wake-desk.js';
import { type FoundFlight, WakeSeat } from './wake-seat.js';

export interface WakeFleetParts extends FlightCallParts {
  readonly declared: DeclaredSource;
  readonly memory: PowerMemory;
  readonly meter: Pick<PowerMeter, 'servingWatts'>;
  readonly sleep: Pick<SleepDesk, 'unpark' | 'callBack'>;
  readonly newId: () => string;
  readonly clock: Clock;
}

/** A wake that an operator asked for, or a rehearsal. */
export type OperatorWake =
  | { readonly kind: 'started' | 'joined'; readonly flight: Flight }
  | { readonly kind: 'refused'; readonly code: 'already_awake' | 'not_wakeable'; readonly detail: string };

const PROBE_EVERY_MS = 2_000;
/** "In about 48 s" is told anew this often. */
const TELL_AGAIN_MS = 5_000;
const SIGN_IN_GRACE_MS = 120_000;

/** The one owner of wakes: one flight per host, shared by all who wait for it. */
export class WakeFleet implements WakeDesk {
  readonly #parts: WakeFleetParts;
  readonly #flights = new Map<string, Flight>();
  readonly #tickets = new Map<Flight, Set<WakeSeat>>();
  /** Flights whose host has reported on its new link. */
  readonly #reported = new Set<Flight>();
  /** Flights whose host is about to sleep, and cannot be called back. */
  readonly #leaving = new Set<Flight>();
  readonly #candidates: WakeCandidates;
  readonly #book = new WakeBook();
  readonly #effects: FlightEffects;
  readonly #unfollow: () => void;
  readonly #telling: Timer;
  #closed = false;

  constructor(parts: WakeFleetParts) {
    this.#parts = parts;
    const { live, declared, board, memory, meter, clock } = parts;
    const flightOf = (host: string) => this.flightOf(host);
    this.#candidates = new WakeCandidates({ live, declared, board, memory, meter, clock, flightOf });
    const calls = new FlightCalls(parts);
    this.#effects = {
      sendVolley: (flight) => calls.sendVolley(flight),
      probe: (flight) => void calls.probe(flight),
      holdAwake: (flight) => calls.holdAwake(flight),
      changed: (flight) => this.#changed(flight),
      ended: (flight, end) => this.#flightEnded(flight, end),
    };
    this.#unfollow = parts.live.onChange((change) => this.#follow(change));
    this.#telling = parts.clock.every(TELL_AGAIN_MS, () => {
      for (const host of this.#flights.keys()) parts.board.touch(host);
    });
  }

  /** Ends what is under way: its hosts are woken all the same, and nobody is told. */
  close(): void {
    this.#closed = true;
    this.#unfollow();
    this.#telling.cancel();
    for (const flight of [...this.#flights.values()]) {
      flight.step({ type: 'cancel', detail: 'the control plane stops' });
    }
  }

  flightOf(host: string): Flight | null {
    return this.#flights.get(host) ?? null;
  }

  /** Under way, or ended lately; `null`: look into the registry. */
  find(wakeId: string): ListedWake | null {
    for (const flight of this.#flights.values()) {
      if (flight.order.wakeId === wakeId) return { ...flight.record(null), host: flight.order.host };
    }
    return this.#book.find(wakeId);
  }

  gauges(): WakeGauges {
    const waiters = [...this.#flights.values()].reduce((sum, flight) => sum + flight.waiters, 0);
    return { underWay: this.#flights.size, waiters, ended: this.#book.counts() };
  }

  wake(ask: WakeAsk): WakeTicket | { readonly refused: WakeRefusal; readonly detail: string } {
    const found = this.#flightFor(ask);
    if (typeof found === 'string') return { refused: 'not_wakeable', detail: found };
    return this.#ticketFor(ask, found);
  }

  /** Asked by name: quiet hours, cooldown and doubts keep nobody from it. */
  wakeHost(name: string, askedBy: Exclude<WakeAsker, 'request'>): OperatorWake {
    const under = this.#flights.get(name);
    if (under) return { kind: 'joined', flight: under };
    const host = this.#parts.live.host(name);
    if (host === undefined || host.hostId === null) {
      return { kind: 'refused', code: 'not_wakeable', detail: `host "${name}" has never joined` };
    }
    const standing = this.#parts.board.freshStandingOf(host);
    if (isAwake(host, standing)) {
      return { kind: 'refused', code: 'already_awake', detail: `host "${name}" is awake` };
    }
    const obstacle = this.#closed ? 'the control plane stops' : whyNotTried(standing);
    if (obstacle !== null) return { kind: 'refused', code: 'not_wakeable', detail: obstacle };
    const deployments = this.#wishedOn(name).map((each) => each.name);
    const flight = this.#start(host, standing, { askedBy, keyId: null, role: null, deployments });
    return { kind: 'started', flight };
  }

  /** @returns the flight that serves it, joined or begun; else why there is none */
  #flightFor(ask: WakeAsk): FoundFlight | string {
    const only = this.#onlyFlightFor(ask);
    if (only !== null) return only;
    const candidates = this.#candidates.of(ask.deployments);
    const withinSeconds = ask.withinMs / 1000;
    const plan = planWake(
      candidates.map(({ candidate }) => candidate),
      { nowMs: this.#parts.clock.nowMs(), withinSeconds },
    );
    if (plan.kind === 'refuse') return plan.detail;
    const { host, deployment, readySeconds } = plan.candidate;
    const isInTime = readySeconds <= withinSeconds;
    const under = this.#flights.get(host);
    if (under) return { flight: this.#join(under, deployment), isInTime };
    const found = candidates.find(({ candidate }) => candidate === plan.candidate);
    if (!found) return 'no host would serve this';
    const { role, keyId } = ask;
    const asked = { askedBy: 'request', keyId, role, deployments: [deployment] } as const;
    return { flight: this.#start(found.host, found.standing, asked), isInTime };
  }

  /**
   * Most ask during a wake that is in time for them: they need no plan. `null`: of their hosts none is being woken, or several
   * are, or another may be sooner.
   */
  #onlyFlightFor({ deployments, withinMs }: WakeAsk): FoundFlight | null {
    const { declared, live, board } = this.#parts;
    const byHost = new Map<string, string>();
    for (const deployment of deployments) {
      const name = declared.current().deployments.get(deployment)?.host;
      if (name !== undefined && !byHost.has(name)) byHost.set(name, deployment);
    }
    const [only, second] = [...byHost].filter(([name]) => this.#flights.has(name));
    const flight = this.#flights.get(only?.[0] ?? '');
    if (only === undefined || second !== undefined || flight === undefined) return null;
    const [name, deployment] = only;
    const host = live.host(name);
    const isInTime = host !== undefined && board.leftMsOf(host, deployment) <= withinMs;
    return isInTime || byHost.size === 1 ? { flight: this.#join(flight, deployment), isInTime } : null;
  }

  #join(flight: Flight, deployment: string): Flight {
    if (!flight.state.wanted.includes(deployment)) flight.step({ type: 'want', deployments: [deployment] });
    if (this.#reported.has(flight)) this.#stepReplica(flight, deployment);
    return flight;
  }

  #start(
    host: LiveHost,
    standing: WakeStanding,
    asked: Pick<Flight['order'], 'askedBy' | 'keyId' | 'role' | 'deployments'>,
  ): Flight {
    const { clock, declared, memory, board, newId, log } = this.#parts;
    const { name, hostId } = host;
    const timeoutMs = (declared.current().hosts.get(name)?.wake.timeoutSeconds ?? 300) * 1000;
    const { fromState } = standing;
    // Its session outlives a sleep. After a start it takes a while where it was seen that nobody has to sign in.
    const isStart = fromState === 'poweroff' || fromState === 'unknown';
    const mayWait = asked.askedBy !== 'request' || (isStart && memory.of(hostId).proven.has('poweroff'));
    const rules = { timeoutMs, signInGraceMs: mayWait ? SIGN_IN_GRACE_MS : 0 };
    const order = { ...asked, wakeId: newId(), host: name, hostId: hostId ?? '', fromState, standing, rules };
    const flight = new Flight(order, { clock, effects: this.#effects, probeEveryMs: PROBE_EVERY_MS });
    this.#flights.set(name, flight);
    this.#tickets.set(flight, new Set());
    this.#begin(flight, host);
    const { wakeId } = order;
    log.info({ host: name, wakeId, askedBy: asked.askedBy, role: asked.role, fromState }, 'a host is woken');
    this.#changed(flight);
    board.publish(name);
    return flight;
  }

  #ticketFor(ask: WakeAsk, found: FoundFlight): WakeSeat {
    const { flight } = found;
    const ticket = new WakeSeat(ask, found, (seat) => this.#tickets.get(seat.flight)?.delete(seat));
    const tickets = this.#tickets.get(flight);
    if (!ask.isHeld) {
      // Of those that wait for nothing one of a role is enough to try the next host for.
      const same = [...(tickets ?? [])].some((other) => !other.ask.isHeld && other.ask.role === ask.role);
      if (same) return ticket;
    }
    tickets?.add(ticket);
    if (ask.isHeld) flight.join();
    return ticket;
  }

  #begin(flight: Flight, { name, power }: LiveHost): void {
    if (flight.order.fromState === 'parked') {
      this.#unpark(flight);
    } else if (power.goingToSleep === null) {
      flight.begin();
    } else if (this.#parts.sleep.callBack(name, 'somebody wants it')) {
      this.#isThere(flight);
    } else {
      // A packet that comes before it is asleep is lost, and its agent is still linked.
      this.#leaving.add(flight);
    }
  }

  /** What is told of its replicas is told now. */
  #isThere(flight: Flight): void {
    this.#reported.add(flight);
    flight.step({ type: 'linked' });
    for (const deployment of flight.state.wanted) this.#stepReplica(flight, deployment);
  }

  #unpark(flight: Flight): void {
    const { host } = flight.order;
    this.#isThere(flight);
    void this.#parts.sleep.unpark(host).then((wrong) => {
      if (wrong !== null) flight.step({ type: 'not_unparked', detail: wrong });
    });
  }

  #follow(change: LiveChange): void {
    switch (change.kind) {
      case 'host':
        this.#followHost(change.host);
        this.#followReport(change.host.name);
        return;
      case 'replica': {
        const flight = this.#flights.get(change.replica.host);
        if (flight) this.#stepReplica(flight, change.replica.deployment);
        return;
      }
      case 'sample':
        // Who misses somebody's sign-in is given time for it, and asked again with each.
        if (!change.backfilled) this.#followReport(change.host);
        return;
      case 'hostRemoved':
        this.#flights.get(change.name)?.step({ type: 'cancel', detail: 'the host was removed' });
        return;
      case 'replicaRemoved':
        return;
      default:
        change satisfies never;
    }
  }

  #followHost(host: LiveHost): void {
    const { memory } = this.#parts;
    const flight = this.#flights.get(host.name);
    if (flight !== undefined && this.#leaving.has(flight)) {
      this.#followLeaving(flight, host);
      return;
    }
    if (host.presence === 'online' && host.hostId !== null) {
      if (flight?.state.name === 'calling') {
        const wasParked = memory.of(host.hostId).isParked;
        memory.woken(host.hostId);
        flight.step({ type: 'linked' });
        // It was only out of reach: its engines are as it was told last.
        if (wasParked) void this.#parts.sleep.unpark(host.name);
      } else {
        memory.awake(host.hostId);
      }
    } else if (host.presence === 'away' && flight?.state.name === 'starting') {
      this.#reported.delete(flight);
      flight.step({ type: 'gone', reason: readReason(host.goodbyeReason) });
    }
  }

  /** It goes, and is called when it is gone; or it stays after all. */
  #followLeaving(flight: Flight, { presence, power }: LiveHost): void {
    const isGone = presence === 'away';
    if (!isGone && power.goingToSleep !== null) return;
    this.#leaving.delete(flight);
    if (isGone) flight.step({ type: 'call' });
    else this.#isThere(flight);
  }

  /** What the live view holds of the host's replicas is of the link before, until its agent has told of them on this one. */
  #followReport(name: string): void {
    const flight = this.#flights.get(name);
    if (flight?.state.name !== 'starting' || !this.#parts.live.hasToldReplicas(name)) return;
    this.#reported.add(flight);
    for (const deployment of flight.state.wanted) this.#stepReplica(flight, deployment);
    const signIn = this.#parts.live.host(name)?.issues.find(({ code }) => code === 'sign_in_needed');
    if (signIn) flight.step({ type: 'sign_in_needed', detail: signIn.detail });
  }

  #stepReplica(flight: Flight, deployment: string): void {
    const { live, declared } = this.#parts;
    const replica = live.replica(deployment);
    if (!replica || replica.host !== flight.order.host) return;
    const { phase, code, detail, growth } = replica.status;
    const isManaged = declared.current().deployments.get(deployment)?.engine === 'vllm';
    const fetches = (growth?.weightsBytes ?? 0) > 0;
    flight.step({ type: 'replica', deployment, phase, isManaged, fetches, code, detail });
  }

  #changed(flight: Flight): void {
    const { memory, board } = this.#parts;
    memory.wake(flight.order.hostId, flight.record(null));
    board.touch(flight.order.host);
  }

  #flightEnded(flight: Flight, end: FlightEnd): void {
    const { memory, board, log } = this.#parts;
    const { host, hostId, wakeId } = flight.order;
    const detail = this.#explain(flight, end);
    const tickets = this.#tickets.get(flight) ?? new Set();
    this.#flights.delete(host);
    this.#tickets.delete(flight);
    this.#reported.delete(flight);
    this.#leaving.delete(flight);
    const record = flight.record(detail);
    this.#book.add({ ...record, host }, end);
    flight.attendedBy = this.#attendanceOf(flight);
    memory.wake(hostId, record, flight.attendedBy !== null);
    if (end.outcome === 'failed') this.#candidates.failed(host, detail ?? end.detail);
    if (end.outcome === 'ready') this.#candidates.succeeded(host);
    const tell = end.outcome === 'failed' ? 'warn' : 'info';
    log[tell]({ host, wakeId, outcome: end.outcome, phases: record.phases, detail }, 'a wake has ended');
    board.touch(host);
    if (end.outcome === 'failed' && !this.#closed) for (const ticket of tickets) this.#tryNext(ticket);
  }

  /** Who still waits goes with the next wake. Nobody has a host woken twice: with many hosts none would be the last. */
  #tryNext(ticket: WakeSeat): void {
    if (ticket.hasLeft) return;
    const { ask } = ticket;
    const declared = this.#parts.declared.current().deployments;
    const hostOf = (deployment: string) => declared.get(deployment)?.host ?? '';
    const isUnderWay = ask.deployments.some((name) => this.#flights.has(hostOf(name)));
    const untried = ask.deployments.filter((name) => !ticket.hasTried(hostOf(name)));
    const found = this.#flightFor(
      isUnderWay ? { ...ask, withinMs: Number.POSITIVE_INFINITY } : { ...ask, deployments: untried },
    );
    if (typeof found === 'string') return;
    const next = found.flight;
    ticket.moveTo(next);
    this.#tickets.get(next)?.add(ticket);
    if (ticket.ask.isHeld) next.join();
  }

  #attendanceOf({ order, state }: Flight): string | null {
    const { inventory = null, owner = null } = this.#parts.live.host(order.host) ?? {};
    return judgeAttendance({
      fromState: order.fromState,
      missedSignIn: state.missedSignIn,
      inventory,
      owner,
    });
  }

  #explain(flight: Flight, end: FlightEnd): string | null {
    if (end.outcome === 'ready') return null;
    if (end.outcome === 'cancelled') return end.detail;
    const { standing } = flight.order;
    const host = this.#parts.live.host(flight.order.host);
    return explainFailure({
      ...{ host: flight.order.host, state: flight.state, end, fromState: flight.order.fromState },
      wakeability: standing.wakeability,
      addresses: standing.addresses,
      fastStartup: host?.inventory?.power?.fastStartup === true,
      issues: (host?.issues ?? []).filter(({ severity }) => severity !== 'info').map((issue) => issue.detail),
    });
  }

  /** What is to run there. */
  #wishedOn(host: string): readonly DeclaredDeployment[] {
    return [...this.#parts.declared.current().deployments.values()].filter(
      (each) => each.host === host && (each.engine === 'external' || each.wish === 'running'),
    );
  }
}

export interface WakeGauges {
  readonly underWay: number;
  readonly waiters: number;
  /** Since start; `phase`: the one that failed. */
  readonly ended: readonly { readonly outcome: string; readonly phase: string; readonly count: number }[];
}

function readReason(text: string | null): GoodbyeReason | null {
  const found = goodbyeReasonSchema.safeParse(text);
  return found.success ? found.data : null;
}
