import { FleetStage, wired } from '../fleet/testing/fleet-stage.js';
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
  /** A host that a request woke although its last wake had just failed. */
  readonly flaps: number;
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
const EVENT_SHARE = 0.06;

const FABRIC = `
version: 1
hosts:
${HOSTS.map(
  (host) =>
    `  ${host}: { mayBeAway: true, wake: { timeoutSeconds: ${WAKE_TIMEOUT_MS / 1_000}, cooldownMinutes: ${COOLDOWN_MS / 60_000} } }`,
).join('\n')}
deployments:
${HOSTS.map(
  (host) =>
    `  of-${host}: { host: ${host}, task: chat, engine: external, url: 'http://127.0.0.1:1', servedModel: M }`,
).join('\n')}
`;

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

  constructor(seed: number) {
    this.#draw = drawOf(seed);
    this.#desk = this.#stage.wakes;
    this.#machines = HOSTS.map((name, index) => ({
      ...{ name, mac: `52:54:00:00:0a:0${index}`, isOn: false, isDeaf: false },
      ...{ risesAtMs: null, readyAtMs: null },
    }));
  }

  close(): void {
    this.#stage.close();
  }

  async run(): Promise<HistoryVerdict> {
    for (const { name, mac } of this.#machines) {
      this.#stage.sleeping(name, { interfaces: [wired(mac, '192.168.1.20/24')] });
    }
    for (let atMs = 0; atMs < HISTORY_MS + SETTLE_MS; atMs += STEP_MS) {
      await this.#stage.advance(STEP_MS);
      this.#takePackets();
      for (const machine of this.#machines) this.#goOn(machine);
      for (const waiting of [...this.#waiting]) this.#decide(waiting);
      if (atMs < HISTORY_MS && this.#draw() < EVENT_SHARE) this.#happen();
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
    if (this.#machines.some(({ name }) => this.#isReady(name))) {
      this.#served += 1;
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
    return (
      live.host(host)?.presence === 'online' &&
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
    if (machine.risesAtMs !== null && machine.risesAtMs <= this.#nowMs()) {
      machine.risesAtMs = null;
      machine.isOn = true;
      machine.readyAtMs = this.#nowMs() + 2_000 + this.#draw() * 40_000;
      this.#stage.link(name);
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
    this.#stage.leave(machine.name, reason);
  }

  /** Its engine ends, and loads anew. */
  #crash(machine: Machine): void {
    if (!machine.isOn) return;
    machine.readyAtMs = this.#nowMs() + 2_000 + this.#draw() * 20_000;
    this.#stage.report(machine.name, { [`of-${machine.name}`]: 'starting' });
  }

  #nowMs(): number {
    return this.#stage.clock.nowMs();
  }

  #verdict(): HistoryVerdict {
    const wakes = this.#stage.saved.filter((each) => each.kind === 'wake');
    return {
      ...{ requests: this.#requests, served: this.#served, refused: this.#refused },
      unanswered: this.#waiting.size,
      ...judgeWakes(wakes.map(({ hostId, wake }) => ({ hostId, wake }))),
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
