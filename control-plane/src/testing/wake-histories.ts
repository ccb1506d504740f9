import type { Command } from '@ai-fabric/shared';
import { DONE, FleetStage, wired } from '../fleet/testing/fleet-stage.js';
import type { WakeDesk } from '../fleet/wake-desk.js';
import { WakeWait } from '../gateway/wake-wait.js';
import type { WakeRecord } from '../registry/power-types.js';

/** What went wrong in a random history of hosts that sleep; all zero where nothing did. */
export interface HistoryVerdict {
  readonly requests: number;
  readonly served: number;
  readonly refused: number;
  readonly wakes: number;
  /** Requests that were neither served nor refused. */
  readonly unanswered: number;
  /** A flight begun for a host that had one, or by a request while another host was on its way for the same. */
  readonly doubleFlights: number;
  /** A host that a request woke although its last wake had just failed, or that slept by itself right after one. */
  readonly flaps: number;
  readonly sleeps: number;
  /** A host that slept over its requests, or by itself while any waited. */
  readonly sleepsWithWork: number;
  /** Commands of power that meant another boot of the machine. */
  readonly staleCommands: number;
}

/** They serve one role. */
const HOSTS = ['wintermute', 'armitage', 'dixie'] as const;
const COOLDOWN_MS = 120_000;
const WAKE_TIMEOUT_MS = 100_000;
const HISTORY_MS = 900_000;
const STEP_MS = 1_000;
const PATIENCE_MS = 300_000;
/** Longer than anybody waits, and than the wakes of all hosts one after the other. */
const SETTLE_MS = (HOSTS.length + 1) * WAKE_TIMEOUT_MS;
const MINIMUM_UP_MS = 60_000;
const DRAIN_S = 30;
const BY_OPERATOR = 'an operator asked';
const LONGEST_ANSWER_MS = 25_000;
const EVENT_SHARE = 0.06;

const FABRIC = `
version: 1
hosts:
${HOSTS.map(
  (host) =>
    `  ${host}: { mayBeAway: true, wake: { timeoutSeconds: ${WAKE_TIMEOUT_MS / 1_000}, cooldownMinutes: ${COOLDOWN_MS / 60_000}, minimumUpMinutes: ${MINIMUM_UP_MS / 60_000} }, sleep: { afterIdleMinutes: 1, drainSeconds: ${DRAIN_S} } }`,
).join('\n')}
deployments:
${HOSTS.map(
  (host) =>
    `  of-${host}: { host: ${host}, task: chat, engine: external, url: 'http://127.0.0.1:1', servedModel: M }`,
).join('\n')}
`;

type CommandEnd = typeof DONE;

/** Numbers from 0 to 1 that a seed tells. */
type Draw = () => number;

/** A machine as its switch and its cable have it. `risesAtMs`: its agent links then; `readyAtMs`: its model is ready then. */
interface Machine {
  readonly name: string;
  readonly mac: string;
  isOn: boolean;
  isDeaf: boolean;
  risesAtMs: number | null;
  readyAtMs: number | null;
  boots: number;
  /** It was told to sleep, and drains. */
  told: {
    readonly drainedByMs: number;
    readonly whileWanted: boolean;
    readonly byItself: boolean;
    readonly answer: (end: CommandEnd) => void;
  } | null;
  /** When its requests end that run. */
  running: number[];
  lastEndedMs: number | null;
}

interface Waiting {
  readonly wait: WakeWait;
  /** The gateway refuses it then. */
  readonly untilMs: number;
}

/**
 * One random history of wake, sleep, crash, cut and request, on a virtual clock over the real fleet and the gateway's part of
 * it: a quarter of an hour of three machines, and then rest.
 */
export async function runWakeHistory(seed: number): Promise<HistoryVerdict> {
  const history = new WakeHistory(seed);
  try {
    return await history.run();
  } finally {
    history.close();
  }
}

class WakeHistory {
  readonly #draw: Draw;
  readonly #stage = new FleetStage(FABRIC);
  readonly #machines: readonly Machine[];
  readonly #waiting = new Set<Waiting>();
  readonly #desk: WakeDesk;
  #packetsSeen = 0;
  #requests = 0;
  #served = 0;
  #refused = 0;
  #sleeps = 0;
  #sleepsWithWork = 0;
  #staleCommands = 0;
  #earlySleeps = 0;

  constructor(seed: number) {
    this.#draw = drawOf(seed);
    this.#desk = this.#stage.wakes;
    this.#machines = HOSTS.map((name, index) => ({
      ...{ name, mac: `52:54:00:00:0a:0${index}`, isOn: false, isDeaf: false },
      ...{ risesAtMs: null, readyAtMs: null, boots: 0, told: null, running: [], lastEndedMs: null },
    }));
    this.#stage.answer = (host, command) => this.#obey(host, command);
  }

  close(): void {
    this.#stage.close();
  }

  async run(): Promise<HistoryVerdict> {
    for (const { name, mac } of this.#machines) {
      this.#stage.sleeping(name, { interfaces: [wired(mac, '192.168.1.20/24')], power: POWER });
    }
    for (let atMs = 0; atMs < HISTORY_MS + SETTLE_MS; atMs += STEP_MS) {
      await this.#stage.advance(STEP_MS);
      this.#takePackets();
      for (const machine of this.#machines) this.#goOn(machine);
      for (const waiting of [...this.#waiting]) this.#decide(waiting);
      this.#tellUse();
      if (atMs < HISTORY_MS && this.#draw() < EVENT_SHARE) this.#happen();
      this.#tellUse();
    }
    return this.#verdict();
  }

  #happen(): void {
    const machine = this.#machines[Math.floor(this.#draw() * HOSTS.length)];
    if (machine === undefined) return;
    const drawn = this.#draw();
    if (drawn < 0.5) this.#request();
    else if (drawn < 0.65) this.#goDown(machine, this.#draw() < 0.5 ? 'suspend' : 'shutdown');
    else if (drawn < 0.75) this.#goDown(machine, null);
    else if (drawn < 0.85) this.#crash(machine);
    else if (drawn < 0.93) machine.isDeaf = !machine.isDeaf;
    else if (!machine.isOn) this.#stage.wakes.wakeHost(machine.name, 'operator');
    else this.#putToSleep(machine.name);
  }

  #putToSleep(host: string): void {
    const asked = { action: null, askedBy: 'operator', reason: BY_OPERATOR, despiteGuards: false } as const;
    this.#stage.fleet.sleeps.begin({ host, ...asked });
  }

  #request(): void {
    this.#requests += 1;
    const wait = new WakeWait({ wakes: this.#desk, live: this.#stage.live }, ASKER);
    const waiting = { wait, untilMs: this.#nowMs() + PATIENCE_MS };
    this.#waiting.add(waiting);
    this.#decide(waiting);
  }

  /** As the router does: whoever can be served is, who cannot waits for a wake or is refused. */
  #decide(waiting: Waiting): void {
    const server = this.#machines.find(({ name }) => this.#isReady(name));
    if (server) {
      this.#served += 1;
      server.running.push(this.#nowMs() + this.#draw() * LONGEST_ANSWER_MS);
    } else {
      // One that is awake and loads is waited for.
      const comes = this.#machines.some(({ isOn, readyAtMs }) => isOn && readyAtMs !== null);
      const isPatient = this.#nowMs() < waiting.untilMs;
      if (isPatient && (waiting.wait.ask(DEPLOYMENTS, true) || comes)) return;
      this.#refused += 1;
    }
    waiting.wait.leave();
    this.#waiting.delete(waiting);
  }

  #isReady(host: string): boolean {
    const { live } = this.#stage;
    const { presence, power } = live.host(host) ?? {};
    return (
      presence === 'online' &&
      power?.goingToSleep === null &&
      live.replica(`of-${host}`)?.status.phase === 'ready' &&
      this.#machines.some(({ name, isOn, readyAtMs }) => name === host && isOn && readyAtMs === null)
    );
  }

  #takePackets(): void {
    const { packets } = this.#stage;
    for (const { macs } of packets.slice(this.#packetsSeen)) {
      const machine = this.#machines.find(({ mac }) => macs.includes(mac));
      // Some get lost.
      if (machine === undefined || machine.isDeaf || this.#draw() < 0.3) continue;
      if (!machine.isOn) machine.risesAtMs ??= this.#nowMs() + 3_000 + this.#draw() * 40_000;
    }
    this.#packetsSeen = packets.length;
  }

  #goOn(machine: Machine): void {
    const { name } = machine;
    this.#lieDown(machine);
    if (machine.risesAtMs !== null && machine.risesAtMs <= this.#nowMs()) {
      machine.risesAtMs = null;
      machine.isOn = true;
      machine.readyAtMs = this.#nowMs() + 2_000 + this.#draw() * 40_000;
      machine.boots += 1;
      this.#stage.link(name, { bootId: `boot-${machine.boots}` });
      this.#stage.report(name, { [`of-${name}`]: 'starting' });
    }
    if (machine.isOn && machine.readyAtMs !== null && machine.readyAtMs <= this.#nowMs()) {
      machine.readyAtMs = null;
      this.#stage.report(name, { [`of-${name}`]: 'ready' });
    }
  }

  /** @param reason that it says; `null`: its power is cut, or its cable */
  #goDown(machine: Machine, reason: string | null): void {
    machine.risesAtMs = null;
    if (!machine.isOn) return;
    machine.isOn = false;
    machine.readyAtMs = null;
    machine.running = [];
    machine.told?.answer({ result: 'expired', code: null, detail: null });
    machine.told = null;
    this.#stage.leave(machine.name, reason);
  }

  /** Its engine ends, and loads anew. */
  #crash(machine: Machine): void {
    if (!machine.isOn) return;
    machine.readyAtMs = this.#nowMs() + 2_000 + this.#draw() * 20_000;
    this.#stage.report(machine.name, { [`of-${machine.name}`]: 'starting' });
  }

  #obey(host: string, command: Command): Promise<CommandEnd> | null {
    const machine = this.#machines.find(({ name }) => name === host);
    if (machine === undefined || !machine.isOn) return null;
    if (command.name !== 'power') return Promise.resolve(DONE);
    if (command.bootId !== `boot-${machine.boots}`) this.#staleCommands += 1;
    if (this.#draw() < 0.1) {
      return Promise.resolve({ result: 'failed', code: 'power_failed', detail: 'it does not' });
    }
    const drainedByMs = this.#nowMs() + command.drainSeconds * 1_000;
    return new Promise((answer) => {
      machine.told = {
        ...{ drainedByMs, answer, whileWanted: this.#waiting.size > 0 },
        byItself: command.reason !== BY_OPERATOR,
      };
    });
  }

  /** When its requests have ended, or may not take longer. */
  #lieDown(machine: Machine): void {
    const { told, name } = machine;
    const isBusy = this.#endRunning(machine) > 0;
    if (told === null || (isBusy && this.#nowMs() < told.drainedByMs)) return;
    this.#sleeps += 1;
    if (isBusy || (told.byItself && told.whileWanted)) this.#sleepsWithWork += 1;
    const upMs = this.#nowMs() - this.#lastWokenMs(name);
    if (told.byItself && upMs < MINIMUM_UP_MS) this.#earlySleeps += 1;
    machine.told = null;
    told.answer(DONE);
    this.#goDown(machine, 'suspend');
  }

  /** @returns how many run on */
  #endRunning(machine: Machine): number {
    const before = machine.running.length;
    machine.running = machine.running.filter((untilMs) => untilMs > this.#nowMs());
    if (machine.running.length < before) machine.lastEndedMs = this.#stage.clock.monotonicMs();
    return machine.running.length;
  }

  /** When a wake last brought its agent back. */
  #lastWokenMs(host: string): number {
    const woken = this.#stage.saved.findLast(
      (each) => each.kind === 'wake' && each.hostId === `id-${host}` && each.wake.outcome === 'ready',
    );
    if (woken?.kind !== 'wake') return 0;
    return woken.wake.askedAtMs + (woken.wake.phases['agent_back'] ?? 0);
  }

  /** As the router counts. */
  #tellUse(): void {
    const { use, running } = this.#stage;
    for (const machine of this.#machines) {
      const inflight = this.#endRunning(machine);
      const queued = this.#waiting.size;
      use.set(machine.name, { inflight, counted: inflight, lastMs: machine.lastEndedMs, queued });
      running.set(`of-${machine.name}`, inflight);
    }
  }

  #nowMs(): number {
    return this.#stage.clock.nowMs();
  }

  #verdict(): HistoryVerdict {
    const wakes = this.#stage.saved.filter((each) => each.kind === 'wake');
    const judged = judgeWakes(wakes.map(({ hostId, wake }) => ({ hostId, wake })));
    return {
      ...{ requests: this.#requests, served: this.#served, refused: this.#refused },
      unanswered: this.#waiting.size,
      ...{ sleeps: this.#sleeps, sleepsWithWork: this.#sleepsWithWork, staleCommands: this.#staleCommands },
      ...judged,
      flaps: judged.flaps + this.#earlySleeps,
    };
  }
}

interface SavedWake {
  readonly hostId: string;
  readonly wake: WakeRecord;
}

/** @param saved each wake at each of its changes, in order */
function judgeWakes(saved: readonly SavedWake[]): Pick<HistoryVerdict, 'wakes' | 'doubleFlights' | 'flaps'> {
  const begun = new Set<string>();
  const open = new Map<string, string>();
  const failedAtMs = new Map<string, number>();
  let doubleFlights = 0;
  let flaps = 0;
  for (const { hostId, wake } of saved) {
    const { wakeId, askedBy, askedAtMs, outcome, endedAtMs } = wake;
    if (!begun.has(wakeId)) {
      begun.add(wakeId);
      const isAsked = askedBy === 'request';
      if (open.has(hostId) || (isAsked && open.size > 0)) doubleFlights += 1;
      const since = askedAtMs - (failedAtMs.get(hostId) ?? Number.NEGATIVE_INFINITY);
      if (isAsked && since < COOLDOWN_MS) flaps += 1;
      open.set(hostId, wakeId);
    }
    if (outcome === null) continue;
    open.delete(hostId);
    if (outcome === 'failed') failedAtMs.set(hostId, endedAtMs ?? askedAtMs);
    else failedAtMs.delete(hostId);
  }
  return { wakes: begun.size, doubleFlights, flaps };
}

const POWER = {
  ...{ verbs: ['suspend' as const], sleepStates: ['mem'] },
  ...{ modernStandby: null, fastStartup: null, onBattery: false },
};
const ASKER = { role: 'chat', keyId: 'key-1' };
const DEPLOYMENTS = HOSTS.map((host) => `of-${host}`);

/** Mulberry32. */
function drawOf(seed: number): Draw {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
