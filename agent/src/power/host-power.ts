import type { Clock, CommandOf, GoodbyeReason, PowerVerb, Timer } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { CommandResult } from '../link/decide/command-book.js';
import { AwakeHolds } from './awake-holds.js';
import { judgePowerCommand } from './decide/judge-power-command.js';
import type { SendVolley } from './magic-packet-sender.js';
import type { ParkMemory } from './park-memory.js';
import { PowerError, type PowerPort } from './power-port.js';
import { raceWithin } from './race-within.js';
import type { ResumeRepair } from './resume-repair.js';

export type PowerCommand = CommandOf<'send_magic_packets' | 'hold_awake' | 'power' | 'park' | 'unpark'>;

/** The replicas of this host, as far as power is concerned. */
export interface HeldReplicas {
  /** Resolves when the cards are free; rejects with words when they are not in time, or were released by then. */
  holdDown(
    reason: 'power' | 'parked',
    terms: { readonly action: 'park' | 'stop'; readonly drainSeconds: number },
  ): Promise<void>;
  release(reason: 'power' | 'parked'): void;
  /** What was proven of the cards is to be proven again before a request is let in. */
  doubt(): void;
}

/** The link and the tunnel of this host, as far as power is concerned. */
export interface LinkedHost {
  /** Resolves when it was said, or cannot be. Nothing is dialled until `back`. */
  goodbye(reason: GoodbyeReason, detail: string): Promise<void>;
  /** Dials at once, after a goodbye and after a sleep without one. */
  back(): void;
}

export interface HostPowerOptions {
  readonly port: PowerPort;
  readonly sendVolley: SendVolley;
  readonly replicas: HeldReplicas;
  readonly link: LinkedHost;
  /** Sees to it that the cards work after a sleep. */
  readonly repair: Pick<ResumeRepair, 'note' | 'begin' | 'end'>;
  /** Whether the engines are parked, beyond this agent's end. */
  readonly park: Pick<ParkMemory, 'isParked' | 'keep'>;
  /** What the host's owner allows. */
  readonly allowed: readonly PowerVerb[];
  readonly bootId: string;
  readonly platform: NodeJS.Platform;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A woken Windows machine sleeps again after two minutes unless an application holds it. */
const WAKE_HOLD_SECONDS = 600;
/** Beyond what the replicas' own deadline is (`drainSeconds` and 150 s). */
const STOP_SLACK_MS = 170_000;
const GOODBYE_MS = 2_000;
/** Two who tell of a resume within it tell of the same. */
const SAME_RESUME_MS = 5_000;
/** So long after the system took the order the machine is asleep, or it will not be. */
const UNCHANGED_MS: Readonly<Record<PowerVerb, number>> = {
  suspend: 60_000,
  hibernate: 120_000,
  poweroff: 180_000,
  reboot: 180_000,
};
const GOODBYES: Readonly<Record<PowerVerb, GoodbyeReason>> = {
  suspend: 'suspend',
  hibernate: 'suspend',
  poweroff: 'shutdown',
  reboot: 'restart',
};

/** The power of this host: carries out what the control plane asks, and brings everything back afterwards. */
export class HostPower {
  readonly #options: HostPowerOptions;
  readonly #holds: AwakeHolds;
  readonly #waiting = new Set<() => void>();
  /** A power command is under way: from its drain until it failed, or the machine is back. */
  #busy = false;
  #slept = 0;
  /** The engines were stopped before the machine went to sleep. */
  #areStopped = false;
  /** Monotonic: the clocks and the system both tell of one resume. */
  #resumedAtMs = Number.NEGATIVE_INFINITY;
  /** The system said that it suspends: for the case that it does not. */
  #suspending: Timer | null = null;
  #unpark = new AbortController();

  constructor(options: HostPowerOptions) {
    this.#options = options;
    this.#holds = new AwakeHolds(options.port, options.clock, options.log);
  }

  execute(command: PowerCommand, linkGone: AbortSignal): Promise<CommandResult> {
    switch (command.name) {
      case 'send_magic_packets':
        return this.#sendMagicPackets(command);
      case 'hold_awake':
        return attempt(() => this.#holds.hold('command', command.seconds));
      case 'power':
        return this.#power(command, linkGone);
      case 'park':
        return this.#park(command.drainSeconds);
      case 'unpark':
        return this.#unparkNow();
      default:
        return command satisfies never;
    }
  }

  /** Goes on with what an agent before this one was told. Before any replica is started. */
  start(): void {
    const { park, replicas, log } = this.#options;
    if (!park.isParked) return;
    log.info('power: the engines stay parked, as they were before this agent');
    replicas.holdDown('parked', { action: 'park', drainSeconds: 0 }).catch((error: unknown) => {
      if (park.isParked) log.warn({ detail: textOf(error) }, 'power: a card is not free yet');
    });
  }

  /** The machine came up or is back: Windows would send it to sleep again soon. */
  async holdAfterWake(): Promise<void> {
    if (this.#options.platform !== 'win32') return;
    await this.#holds.hold('wake', WAKE_HOLD_SECONDS).catch((error: unknown) => {
      this.#options.log.warn({ detail: textOf(error) }, 'power: the machine may sleep again soon');
    });
  }

  /**
   * The system is about to suspend by itself or by its user's hand: says goodbye, and stops the engines as far as
   * they can be in so short a time. Resolves when the system may go on.
   */
  async systemSuspends(withinMs: number): Promise<void> {
    if (this.#busy) return;
    const { replicas, link, clock } = this.#options;
    this.#suspending?.cancel();
    this.#suspending = clock.after(UNCHANGED_MS.suspend, () => this.resumed());
    this.#options.repair.note();
    this.#options.repair.end();
    const said = link.goodbye('suspend', 'The machine goes to sleep.');
    const stopped = replicas.holdDown('power', { action: 'stop', drainSeconds: 0 }).then(() => {
      this.#areStopped = true;
    });
    const done = Promise.allSettled([said, stopped]);
    await within(done, withinMs, clock);
  }

  /** A clock tells that the machine slept; `resumed` follows when nobody is in the middle of something. */
  noticed(): void {
    if (!this.#areStopped) this.#options.repair.note();
  }

  /** The machine was asleep and is back, or did not go to sleep after all. */
  resumed(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#resumedAtMs < SAME_RESUME_MS) return;
    this.#resumedAtMs = nowMs;
    this.#suspending?.cancel();
    this.#suspending = null;
    this.#slept += 1;
    for (const wake of [...this.#waiting]) wake();
    this.#waiting.clear();
    const areStopped = this.#areStopped;
    // Who wakes a machine wants its engines, whatever they were before.
    if (this.#options.park.isParked) void this.#unparkNow();
    if (!areStopped) this.#options.replicas.doubt();
    this.#back();
    this.#options.repair.begin(areStopped);
    void this.holdAfterWake();
  }

  /**
   * Restarts the machine to get its cards back: what no repair did, a new boot does.
   *
   * @throws PowerError when it does not come to it; everything goes on then
   */
  async reboot(why: string): Promise<void> {
    if (this.#busy) throw new PowerError('power_failed', 'A power command is under way.');
    this.#busy = true;
    try {
      const result = await this.#act('reboot', why);
      if (result.result !== 'done') throw new PowerError('power_failed', result.detail);
    } finally {
      this.#busy = false;
    }
  }

  close(): void {
    this.#options.repair.end();
    this.#unpark.abort();
    this.#suspending?.cancel();
    this.#holds.letAllGo();
    this.#options.port.close();
  }

  #back(): void {
    const { link, replicas } = this.#options;
    this.#areStopped = false;
    link.back();
    replicas.release('power');
  }

  async #sendMagicPackets({ order }: CommandOf<'send_magic_packets'>): Promise<CommandResult> {
    const { sent, problems } = await this.#options.sendVolley(order);
    const detail = problems.join('; ');
    if (sent > 0) {
      const { wakeId, macs } = order;
      this.#options.log.info(
        { wakeId, macs, sent, ...(detail === '' ? {} : { detail }) },
        'power: woke a neighbour',
      );
      return { result: 'done' };
    }
    if (problems.length > 0) return { result: 'failed', code: 'not_sent', detail };
    return {
      result: 'refused',
      code: 'not_on_that_lan',
      detail: 'No interface of this host is on that LAN.',
    };
  }

  async #power(command: CommandOf<'power'>, linkGone: AbortSignal): Promise<CommandResult> {
    const { allowed, bootId, log } = this.#options;
    const moment = { allowed, bootId, linkStands: !linkGone.aborted, isBusy: this.#busy };
    const refusal = judgePowerCommand(command, moment);
    if (refusal !== null) return refusal;
    const { verb, reason, drainSeconds } = command;
    this.#busy = true;
    this.#options.repair.note();
    this.#options.repair.end();
    try {
      log.info({ verb, reason, drainSeconds }, 'power: the engines are stopped first');
      const trouble = await this.#stopEngines(command, linkGone);
      if (trouble !== null) {
        log.warn({ verb, ...trouble }, 'power: given up');
        this.#options.replicas.release('power');
        return trouble;
      }
      return await this.#act(verb, reason);
    } finally {
      this.#busy = false;
    }
  }

  /** @returns why it goes no further; `null`: it does */
  async #stopEngines(
    { verb, drainSeconds }: CommandOf<'power'>,
    linkGone: AbortSignal,
  ): Promise<Extract<CommandResult, { code: string }> | null> {
    const { replicas, clock } = this.#options;
    const stopped = replicas.holdDown('power', { action: 'stop', drainSeconds }).then(
      () => null,
      (error: unknown) => textOf(error),
    );
    const deadlineMs = drainSeconds * 1_000 + STOP_SLACK_MS;
    const late = 'The engines did not stop in time.';
    const problem = await raceWithin(stopped, { deadlineMs, late, signal: linkGone, clock });
    // Asked for by a control plane that may be another by now.
    this.#areStopped = problem === null;
    if (linkGone.aborted) {
      const detail = 'The link that it came on went away while the engines were stopped: they start again.';
      return { result: 'failed', code: 'void_on_new_link', detail };
    }
    // A card that is in use does not survive a sleep; a shutdown ends everything by itself.
    const isSleep = verb === 'suspend' || verb === 'hibernate';
    return problem !== null && isSleep
      ? { result: 'failed', code: 'engines_not_stopped', detail: problem }
      : null;
  }

  async #act(verb: PowerVerb, reason: string): Promise<CommandResult> {
    const { link, port, clock, log } = this.#options;
    const sleptBefore = this.#slept;
    await within(link.goodbye(GOODBYES[verb], `${verb}: ${reason}`), GOODBYE_MS, clock);
    this.#holds.letAllGo();
    log.info({ verb, reason }, 'power: acts');
    const result = await attempt(async () => {
      await port.act(verb);
      if (this.#slept > sleptBefore) return;
      await this.#untilResumed(UNCHANGED_MS[verb]);
      if (this.#slept > sleptBefore) return;
      throw new PowerError(
        'power_unchanged',
        `The system took the order to ${verb}, and the machine is still up.`,
      );
    });
    if (result.result !== 'done') {
      log.error(
        { verb, code: result.code, detail: result.detail },
        'power: it did not come to it; everything goes on',
      );
      this.#back();
    }
    return result;
  }

  #untilResumed(deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.cancel();
        this.#waiting.delete(finish);
        resolve();
      };
      const timer = this.#options.clock.after(deadlineMs, finish);
      this.#waiting.add(finish);
    });
  }

  async #park(drainSeconds: number): Promise<CommandResult> {
    this.#unpark.abort();
    const unpark = new AbortController();
    this.#unpark = unpark;
    const { replicas, park, clock } = this.#options;
    const kept = park.keep(true);
    const parked = replicas.holdDown('parked', { action: 'park', drainSeconds }).then(
      () => null,
      (error: unknown) => textOf(error),
    );
    const late = 'The cards were not free in time.';
    const deadlineMs = drainSeconds * 1_000 + STOP_SLACK_MS;
    const problem = await raceWithin(parked, { deadlineMs, late, signal: unpark.signal, clock });
    await kept;
    if (unpark.signal.aborted) {
      return {
        result: 'failed',
        code: 'superseded',
        detail: 'Another park or unpark came before it was done.',
      };
    }
    // It is held on all the same: what frees its card later has done so.
    return problem === null ? { result: 'done' } : { result: 'failed', code: 'not_parked', detail: problem };
  }

  async #unparkNow(): Promise<CommandResult> {
    this.#unpark.abort();
    this.#options.replicas.release('parked');
    await this.#options.park.keep(false);
    return { result: 'done' };
  }
}

async function attempt(work: () => Promise<void>): Promise<CommandResult> {
  try {
    await work();
    return { result: 'done' };
  } catch (error) {
    if (error instanceof PowerError) return { result: 'failed', code: error.code, detail: error.message };
    return { result: 'failed', code: 'power_failed', detail: textOf(error) };
  }
}

async function within(work: Promise<unknown>, deadlineMs: number, clock: Clock): Promise<void> {
  await raceWithin<unknown>(work, { deadlineMs, late: undefined, clock });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
