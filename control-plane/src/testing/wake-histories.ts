import type { Command, CommandOf } from '@ai-fabric/shared';
import { DONE, FleetStage, wired } from '../fleet/testing/fleet-stage.js';
import type { WakeDesk } from '../fleet/wake-desk.js';
import { WakeWait } from '../gateway/wake-wait.js';
import type { KnownHost } from '../live/live-report.js';
import type { PowerObservation } from '../registry/power-types.js';
import { BY_OPERATOR, type CommandEnd, HistoryMachine, type SleptHow } from './history-machine.js';
import { drawOf, judgeWakes, recordsOf, wakesOf } from './judge-history.js';

/** What went wrong in a random history of hosts that sleep; all zero where nothing did. */
export interface HistoryVerdict {
  readonly requests: number;
  readonly served: number;
  readonly refused: number;
  /** They ended with the control plane that held them. */
  readonly lost: number;
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
  /** Commands of power that a machine obeyed though they meant another boot of it, or came on a link that was no more. */
  readonly staleCommands: number;
  /** Those that its agent refused for that. */
  readonly staleRefused: number;
  /** Links that were cut while the machine ran, relays that went, and control planes that ended. */
  readonly cuts: number;
  readonly relaysLost: number;
  readonly restarts: number;
}

/** They serve one role. The last one's LAN is not the control plane's: only the relay reaches it. */
const HOSTS = ['wintermute', 'armitage', 'dixie'] as const;
const RELAY = 'case';
const COOLDOWN_MS = 120_000;
const WAKE_TIMEOUT_MS = 100_000;
const HISTORY_MS = 900_000;
const STEP_MS = 1_000;
const PATIENCE_MS = 300_000;
/** Longer than anybody waits, and than the wakes of all hosts one after the other. */
const SETTLE_MS = (HOSTS.length + 1) * WAKE_TIMEOUT_MS;
const MINIMUM_UP_MS = 60_000;
const DRAIN_S = 30;
const EVENT_SHARE = 0.06;
const FAR = { gatewayMac: 'aa:aa:aa:aa:aa:02', network: '10.1.2' } as const;
const NEAR = { gatewayMac: 'aa:aa:aa:aa:aa:01', network: '192.168.1' } as const;

const FABRIC = `
version: 1
hosts:
  ${RELAY}: {}
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

interface Waiting {
  readonly wait: WakeWait;
  /** The gateway refuses it then. */
  readonly untilMs: number;
}

/**
 * One random history of wake, sleep, crash, cut and request, on a virtual clock over the real fleet and the gateway's part of
 * it: a quarter of an hour of three machines and a relay, whose control plane may be started anew, and then rest.
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
  readonly #draw: () => number;
  readonly #machines: readonly HistoryMachine[];
  readonly #waiting = new Set<Waiting>();
  /** What the control planes before this one saved. */
  readonly #earlier: (readonly PowerObservation[])[] = [];
  #stage = new FleetStage(FABRIC);
  #packetsSeen = 0;
  #relayBackAtMs: number | null = null;
  readonly #counts = {
    ...{ requests: 0, served: 0, refused: 0, lost: 0, sleeps: 0, sleepsWithWork: 0, staleCommands: 0 },
    ...{ earlySleeps: 0, cuts: 0, relaysLost: 0, restarts: 0 },
  };

  constructor(seed: number) {
    this.#draw = drawOf(seed);
    const world = {
      stage: () => this.#stage,
      draw: this.#draw,
      isWanted: () => this.#waiting.size > 0,
      lastWokenMs: (host: string) => this.#lastWokenMs(host),
      slept: (how: SleptHow) => this.#slept(how),
    };
    this.#machines = HOSTS.map((name, index) => {
      const { gatewayMac, network } = index === HOSTS.length - 1 ? FAR : NEAR;
      const at = { mac: `52:54:00:00:0a:0${index}`, address: `${network}.${20 + index}`, gatewayMac };
      return new HistoryMachine(name, at, world);
    });
    this.#stage.answer = (host, command) => this.#obey(host, command);
  }

  close(): void {
    this.#stage.close();
  }

  async run(): Promise<HistoryVerdict> {
    this.#linkRelay();
    for (const machine of this.#machines) machine.join();
    for (let atMs = 0; atMs < HISTORY_MS + SETTLE_MS; atMs += STEP_MS) {
      await this.#stage.advance(STEP_MS);
      this.#takePackets();
      if (this.#relayBackAtMs !== null && this.#relayBackAtMs <= this.#nowMs()) this.#linkRelay();
      for (const machine of this.#machines) machine.goOn();
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
    if (drawn < 0.45) this.#request();
    else if (drawn < 0.57) machine.goDown(this.#draw() < 0.5 ? 'suspend' : 'shutdown');
    else if (drawn < 0.65) machine.goDown(null);
    else if (drawn < 0.73) machine.crash();
    else if (drawn < 0.79) machine.isDeaf = !machine.isDeaf;
    else if (drawn < 0.86) this.#cut(machine);
    else if (drawn < 0.9) this.#loseRelay();
    else if (drawn < 0.92) this.#restart(this.#draw() < 0.5);
    else if (!machine.isOn && this.#draw() < 0.5) machine.pressButton();
    else if (!machine.isOn) this.#stage.wakes.wakeHost(machine.name, 'operator');
    else this.#putToSleep(machine.name);
  }

  #putToSleep(host: string): void {
    const asked = { action: null, askedBy: 'operator', reason: BY_OPERATOR, despiteGuards: false } as const;
    this.#stage.fleet.sleeps.begin({ host, ...asked });
  }

  #cut(machine: HistoryMachine): void {
    this.#counts.cuts += 1;
    machine.cut();
  }

  #loseRelay(): void {
    if (this.#relayBackAtMs !== null) return;
    this.#counts.relaysLost += 1;
    this.#relayBackAtMs = this.#nowMs() + 10_000 + this.#draw() * 120_000;
    this.#stage.leave(RELAY, null);
  }

  #linkRelay(): void {
    this.#relayBackAtMs = null;
    const card = wired('52:54:00:00:0a:99', `${FAR.network}.9/24`, { gatewayMac: FAR.gatewayMac });
    this.#stage.link(RELAY, { interfaces: [card] });
  }

  /** @param isKilled it has no time to end anything */
  #restart(isKilled: boolean): void {
    const before = this.#stage;
    this.#counts.restarts += 1;
    const known = [...before.live.hosts()].flatMap(({ hostId, ...host }): KnownHost[] => {
      if (hostId === null) return [];
      const { name, goodbyeReason: lastGoodbyeReason, inventory, lastSeenMs } = host;
      return [
        {
          ...{ hostId, name, draining: false, revokedAtMs: null, lastSeenMs, lastGoodbyeReason },
          ...{ agentVersion: '1', clockSkewMs: 0, inventory, lastIssues: [], lastReplicas: [] },
        },
      ];
    });
    const killed = isKilled ? [...before.saved] : null;
    before.close();
    this.#earlier.push(killed ?? before.saved);
    this.#counts.lost += this.#waiting.size;
    this.#waiting.clear();
    this.#stage = new FleetStage(FABRIC, recordsOf(this.#earlier.flat()), undefined, {
      ...{ clock: before.clock, known, wakes: before.begunWakes },
    });
    this.#stage.answer = (host, command) => this.#obey(host, command);
    this.#packetsSeen = 0;
    if (this.#relayBackAtMs === null) this.#relayBackAtMs = this.#nowMs() + 1_000 + this.#draw() * 8_000;
    for (const machine of this.#machines) machine.outlive();
  }

  #request(): void {
    this.#counts.requests += 1;
    const desk: WakeDesk = this.#stage.wakes;
    const wait = new WakeWait({ wakes: desk, live: this.#stage.live }, ASKER);
    const waiting = { wait, untilMs: this.#nowMs() + PATIENCE_MS };
    this.#waiting.add(waiting);
    this.#decide(waiting);
  }

  /** As the router does: whoever can be served is, who cannot waits for a wake or is refused. */
  #decide(waiting: Waiting): void {
    const server = this.#machines.find((machine) => this.#isReady(machine));
    if (server) {
      this.#counts.served += 1;
      server.serve();
    } else {
      // One that is awake and loads is waited for.
      const comes = this.#machines.some(({ isLoading }) => isLoading);
      const isPatient = this.#nowMs() < waiting.untilMs;
      if (isPatient && (waiting.wait.ask(WISH, true) || comes)) return;
      this.#counts.refused += 1;
    }
    waiting.wait.leave();
    this.#waiting.delete(waiting);
  }

  #isReady({ name, canServe }: HistoryMachine): boolean {
    const { live } = this.#stage;
    const { presence, power } = live.host(name) ?? {};
    return (
      canServe &&
      presence === 'online' &&
      power?.goingToSleep === null &&
      live.replica(`of-${name}`)?.status.phase === 'ready'
    );
  }

  #takePackets(): void {
    const { packets } = this.#stage;
    for (const { macs } of packets.slice(this.#packetsSeen)) this.#deliver(macs);
    this.#packetsSeen = packets.length;
  }

  #deliver(macs: readonly string[]): void {
    for (const machine of this.#machines) if (macs.includes(machine.mac)) machine.takePacket();
  }

  #obey(host: string, command: Command): Promise<CommandEnd> | null {
    if (host === RELAY) return this.#relay(command);
    return this.#machines.find(({ name }) => name === host)?.obey(command) ?? null;
  }

  /** It sends, or dies with the packet unsent. */
  #relay(command: Command): Promise<CommandEnd> | null {
    if (this.#relayBackAtMs !== null) return null;
    if (command.name !== 'send_magic_packets') return Promise.resolve(DONE);
    if (this.#draw() < 0.1) {
      this.#loseRelay();
      return Promise.resolve({ result: 'expired', code: null, detail: null });
    }
    this.#deliver((command satisfies CommandOf<'send_magic_packets'>).order.macs);
    return Promise.resolve(DONE);
  }

  #slept({ isBusy, byItself, whileWanted, upMs, isStale }: SleptHow): void {
    this.#counts.sleeps += 1;
    if (isBusy || (byItself && whileWanted)) this.#counts.sleepsWithWork += 1;
    if (byItself && upMs < MINIMUM_UP_MS) this.#counts.earlySleeps += 1;
    if (isStale) this.#counts.staleCommands += 1;
  }

  /** When a wake last brought its agent back. */
  #lastWokenMs(host: string): number {
    const ready = wakesOf([...this.#earlier.flat(), ...this.#stage.saved]).filter(
      ({ hostId, wake }) => hostId === `id-${host}` && wake.outcome === 'ready',
    );
    const wake = ready.at(-1)?.wake;
    return wake === undefined ? 0 : wake.askedAtMs + (wake.phases['agent_back'] ?? 0);
  }

  /** As the router counts. */
  #tellUse(): void {
    const { use, running } = this.#stage;
    for (const machine of this.#machines) {
      const inflight = machine.endRunning();
      const queued = this.#waiting.size;
      use.set(machine.name, { inflight, counted: inflight, lastMs: machine.lastEndedMs, queued });
      running.set(`of-${machine.name}`, inflight);
    }
  }

  #nowMs(): number {
    return this.#stage.clock.nowMs();
  }

  #verdict(): HistoryVerdict {
    const { earlySleeps, ...counts } = this.#counts;
    const judged = judgeWakes([...this.#earlier, this.#stage.saved], COOLDOWN_MS);
    return {
      ...counts,
      unanswered: this.#waiting.size,
      staleRefused: this.#machines.reduce((sum, { staleRefused }) => sum + staleRefused, 0),
      ...judged,
      flaps: judged.flaps + earlySleeps,
    };
  }
}

const ASKER = { role: 'chat', keyId: 'key-1' };
const WISH = { wake: HOSTS.map((host) => `of-${host}`), wakeWithinMs: PATIENCE_MS };
