import type { Command, CommandOf } from '@ai-fabric/shared';
import { DONE, type FleetStage, wired } from '../fleet/testing/fleet-stage.js';

export type CommandEnd = Awaited<NonNullable<ReturnType<FleetStage['answer']>>>;

/** Numbers from 0 to 1 that a seed tells. */
export type Draw = () => number;

/** What a history's machines live in: it changes where the control plane is started anew. */
export interface MachineWorld {
  readonly stage: () => FleetStage;
  readonly draw: Draw;
  /** Requests wait. */
  readonly isWanted: () => boolean;
  /** When a wake last brought a machine back. */
  readonly lastWokenMs: (host: string) => number;
  readonly slept: (how: SleptHow) => void;
}

/** How a machine went to sleep because it was told to. */
export interface SleptHow {
  readonly isBusy: boolean;
  /** Nobody but its idleness wanted it. */
  readonly byItself: boolean;
  /** Somebody waited when it was told. */
  readonly whileWanted: boolean;
  /** Since a wake brought it back. */
  readonly upMs: number;
  /** It was for another boot, or came on a link that was no more. */
  readonly isStale: boolean;
}

interface Told {
  readonly command: CommandOf<'power'>;
  readonly link: number;
  readonly drainedByMs: number;
  readonly whileWanted: boolean;
  readonly answer: (end: CommandEnd) => void;
}

/** A command on its way through the link. */
interface OnItsWay {
  readonly atMs: number;
  readonly whileWanted: boolean;
  readonly command: CommandOf<'power'>;
  readonly link: number;
  readonly answer: (end: CommandEnd) => void;
}

export const BY_OPERATOR = 'an operator asked';
const LONGEST_ANSWER_MS = 25_000;
const POWER = {
  ...{ verbs: ['suspend' as const], sleepStates: ['mem'] },
  ...{ modernStandby: null, fastStartup: null, onBattery: false },
};

/** A machine as its switch and its cable have it, with its agent and an engine. */
export class HistoryMachine {
  readonly name: string;
  readonly mac: string;
  isDeaf = false;
  isOn = false;
  /** Refused by its agent, for another boot or link than it was meant for. */
  staleRefused = 0;
  lastEndedMs: number | null = null;
  readonly #address: string;
  readonly #gatewayMac: string;
  readonly #world: MachineWorld;
  #isLinked = false;
  /** It links then; `null`: it does not. */
  #linksAtMs: number | null = null;
  #risesAtMs: number | null = null;
  /** Its model is ready then; `null`: it is, or the machine is off. */
  #readyAtMs: number | null = null;
  /** It tells of its boot then: until that, what is known of it is of the boot before. */
  #tellsAtMs: number | null = null;
  #boots = 0;
  #links = 0;
  #onItsWay: OnItsWay[] = [];
  #told: Told | null = null;
  /** When its requests end that run. */
  #running: number[] = [];

  constructor(
    name: string,
    at: { readonly mac: string; readonly address: string; readonly gatewayMac: string },
    world: MachineWorld,
  ) {
    this.name = name;
    this.mac = at.mac;
    this.#address = at.address;
    this.#gatewayMac = at.gatewayMac;
    this.#world = world;
  }

  /** It was seen once, and sleeps. */
  join(): void {
    this.#stage.sleeping(this.name, { interfaces: [this.#card()], power: POWER, bootId: this.#bootId });
  }

  get isLoading(): boolean {
    return this.isOn && this.#readyAtMs !== null;
  }

  get canServe(): boolean {
    return this.isOn && this.#isLinked && this.#readyAtMs === null;
  }

  get running(): number {
    return this.#running.length;
  }

  serve(): void {
    this.#running.push(this.#nowMs() + this.#world.draw() * LONGEST_ANSWER_MS);
  }

  takePacket(): void {
    const { draw } = this.#world;
    // Some get lost.
    if (this.isDeaf || draw() < 0.3 || this.isOn) return;
    this.#risesAtMs ??= this.#nowMs() + 3_000 + draw() * 40_000;
  }

  /** Somebody stands before it. */
  pressButton(): void {
    if (!this.isOn) this.#risesAtMs ??= this.#nowMs() + 3_000;
  }

  goOn(): void {
    this.#lieDown();
    this.#takeCommands();
    const nowMs = this.#nowMs();
    if (isDue(this.#risesAtMs, nowMs)) {
      this.#risesAtMs = null;
      this.isOn = true;
      this.#readyAtMs = nowMs + 2_000 + this.#world.draw() * 40_000;
      this.#boots += 1;
      this.#linksAtMs = nowMs;
    }
    if (isDue(this.#linksAtMs, nowMs)) this.#link();
    if (isDue(this.#tellsAtMs, nowMs)) {
      this.#tellsAtMs = null;
      this.#stage.tellBoot(this.name, this.#bootId);
    }
    if (isDue(this.#readyAtMs, nowMs)) {
      this.#readyAtMs = null;
      this.#report();
    }
    this.endRunning();
  }

  /** @param reason that it says; `null`: its power is cut */
  goDown(reason: string | null): void {
    this.#risesAtMs = null;
    if (!this.isOn) return;
    const wasLinked = this.#isLinked;
    this.isOn = false;
    this.#readyAtMs = null;
    this.#unlink();
    this.#linksAtMs = null;
    if (wasLinked) this.#stage.leave(this.name, reason);
  }

  /** Its engine ends, and loads anew. */
  crash(): void {
    if (!this.isOn) return;
    this.#readyAtMs = this.#nowMs() + 2_000 + this.#world.draw() * 20_000;
    this.#report();
  }

  /** Its cable is out for a while, and the machine runs on. */
  cut(): void {
    if (!this.#isLinked) return;
    this.#unlink();
    this.#linksAtMs = this.#nowMs() + 3_000 + this.#world.draw() * 60_000;
    this.#stage.leave(this.name, null);
  }

  /** The control plane is another: what was linked dials anew. */
  outlive(): void {
    if (!this.#isLinked) return;
    this.#unlink();
    this.#linksAtMs = this.#nowMs() + 1_000 + this.#world.draw() * 8_000;
  }

  obey(command: Command): Promise<CommandEnd> | null {
    if (!this.#isLinked) return null;
    if (command.name !== 'power') return Promise.resolve(DONE);
    const { draw } = this.#world;
    const atMs = this.#nowMs() + (draw() < 0.3 ? draw() * 15_000 : 0);
    return new Promise((answer) => {
      const whileWanted = this.#world.isWanted();
      this.#onItsWay.push({ atMs, whileWanted, command, link: this.#links, answer });
      this.#takeCommands();
    });
  }

  /** @returns how many run on */
  endRunning(): number {
    const before = this.#running.length;
    this.#running = this.#running.filter((untilMs) => untilMs > this.#nowMs());
    if (this.#running.length < before) this.lastEndedMs = this.#stage.clock.monotonicMs();
    return this.#running.length;
  }

  /** As an agent judges: what was meant for another boot or link ends nothing. */
  #takeCommands(): void {
    const nowMs = this.#nowMs();
    const due = this.#onItsWay.filter(({ atMs }) => atMs <= nowMs);
    this.#onItsWay = this.#onItsWay.filter(({ atMs }) => atMs > nowMs);
    for (const { command, link, whileWanted, answer } of due) {
      if (command.bootId !== this.#bootId || link !== this.#links) {
        this.staleRefused += 1;
        answer({ result: 'refused', code: 'void_on_new_boot', detail: 'it was for another' });
      } else if (this.#told !== null) {
        answer({ result: 'refused', code: 'power_under_way', detail: 'one at a time' });
      } else if (this.#world.draw() < 0.1) {
        answer({ result: 'failed', code: 'power_failed', detail: 'it does not' });
      } else {
        const drainedByMs = nowMs + command.drainSeconds * 1_000;
        this.#told = { command, link, drainedByMs, whileWanted, answer };
      }
    }
  }

  /** When its requests have ended, or may not take longer. */
  #lieDown(): void {
    const told = this.#told;
    const isBusy = this.endRunning() > 0;
    if (told === null || (isBusy && this.#nowMs() < told.drainedByMs)) return;
    this.#world.slept({
      isBusy,
      byItself: told.command.reason !== BY_OPERATOR,
      whileWanted: told.whileWanted,
      upMs: this.#nowMs() - this.#world.lastWokenMs(this.name),
      isStale: told.command.bootId !== this.#bootId || told.link !== this.#links,
    });
    this.#told = null;
    told.answer(DONE);
    this.goDown('suspend');
  }

  #link(): void {
    const { draw } = this.#world;
    this.#linksAtMs = null;
    this.#links += 1;
    this.#isLinked = true;
    this.#stage.relink(this.name);
    this.#tellsAtMs = this.#nowMs() + (draw() < 0.5 ? 0 : draw() * 60_000);
    this.#report();
  }

  /** What came on the link is void with it, and what runs was cut off. */
  #unlink(): void {
    this.#isLinked = false;
    this.#running = [];
    this.#tellsAtMs = null;
    const gone = { result: 'expired', code: null, detail: null } as const;
    for (const { answer } of this.#onItsWay) answer(gone);
    this.#onItsWay = [];
    this.#told?.answer(gone);
    this.#told = null;
  }

  #report(): void {
    if (!this.#isLinked) return;
    const phase = this.#readyAtMs === null ? 'ready' : 'starting';
    this.#stage.report(this.name, { [`of-${this.name}`]: phase });
  }

  #card() {
    return wired(this.mac, `${this.#address}/24`, { gatewayMac: this.#gatewayMac });
  }

  get #bootId(): string {
    return `boot-${this.#boots}`;
  }

  get #stage(): FleetStage {
    return this.#world.stage();
  }

  #nowMs(): number {
    return this.#stage.clock.nowMs();
  }
}

function isDue(atMs: number | null, nowMs: number): boolean {
  return atMs !== null && atMs <= nowMs;
}
