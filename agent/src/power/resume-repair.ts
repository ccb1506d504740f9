import type { Clock, Issue, Timer } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { describeLostCard } from './decide/describe-lost-card.js';
import type { CardHealth } from './decide/judge-repair.js';
import {
  beginRepair,
  giveUpRepair,
  type RepairState,
  type RepairStep,
  stepRepair,
} from './decide/step-repair.js';

export interface ResumeRepairOptions {
  readonly health: () => CardHealth;
  /** Ends all engines and starts them anew; in between, with the cards free, `meanwhile` is done. */
  readonly restart: (meanwhile: () => Promise<void>) => Promise<void>;
  /** `null`: this agent cannot. */
  readonly reloadDriver: (() => Promise<void>) | null;
  /** `null`: the owner does not allow it. */
  readonly reboot: ((why: string) => Promise<void>) | null;
  readonly onIssues: (issues: readonly Issue[]) => void;
  readonly platform: NodeJS.Platform;
  readonly clock: Clock;
  readonly log: Logger;
}

const LOOK_EVERY_MS = 5_000;

/** Sees to it that the cards work after a sleep. One loop owns its state; a new sleep begins it anew. */
export class ResumeRepair {
  readonly #options: ResumeRepairOptions;
  #state: RepairState | null = null;
  #timer: Timer | null = null;
  #isActing = false;
  #wasBroken = false;

  constructor(options: ResumeRepairOptions) {
    this.#options = options;
  }

  /** What the sensors say now is from before the sleep: what is broken did not break by it, and is left alone. */
  note(): void {
    this.#wasBroken = this.#options.health().kind === 'broken';
  }

  /** @param stopped the engines were stopped before the sleep */
  begin(stopped: boolean): void {
    const { clock } = this.#options;
    const wasBroken = this.#wasBroken;
    this.#wasBroken = false;
    if (wasBroken) {
      this.end();
      return;
    }
    this.#state = beginRepair(stopped, clock.monotonicMs());
    this.#timer ??= clock.every(LOOK_EVERY_MS, () => void this.#look());
  }

  /** The machine is about to sleep, or the agent ends. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#state = null;
  }

  async #look(): Promise<void> {
    const { health, clock, log, reloadDriver, reboot } = this.#options;
    const before = this.#state;
    if (before === null || this.#isActing) return;
    const look = { nowMs: clock.monotonicMs(), health: health() };
    const abilities = { canReload: reloadDriver !== null, mayReboot: reboot !== null };
    const { state, step } = stepRepair(before, { ...look, ...abilities });
    this.#state = state;
    if (step.kind === 'wait') return;
    if (step.kind === 'done') {
      log.info({ tried: state.tried }, 'power: the cards work after the sleep');
      this.#options.onIssues([]);
      this.end();
      return;
    }
    log.warn({ step: step.kind, what: step.what }, 'power: the cards do not work after the sleep');
    this.#isActing = true;
    try {
      await this.#act(step);
    } catch (error) {
      log.error({ step: step.kind, error: String(error) }, 'power: a repair could not be done');
      if (this.#state === state && step.kind === 'reboot') this.#giveUp(state, step.what);
    } finally {
      this.#isActing = false;
    }
  }

  #act(step: Exclude<RepairStep, { kind: 'wait' | 'done' }>): Promise<void> {
    const { restart, reloadDriver, reboot } = this.#options;
    switch (step.kind) {
      case 'restart':
        return restart(() => Promise.resolve());
      case 'reload':
        return restart(() => reloadDriver?.() ?? Promise.resolve());
      case 'reboot':
        return reboot?.(step.what) ?? Promise.resolve();
      case 'tell_lost':
        this.#tellLost(step.what);
        return Promise.resolve();
      default:
        return step.kind satisfies never;
    }
  }

  #giveUp(state: RepairState, what: string): void {
    this.#state = giveUpRepair(state, this.#options.clock.monotonicMs());
    this.#tellLost(what);
  }

  #tellLost(what: string): void {
    const { platform, reloadDriver, reboot, onIssues } = this.#options;
    const host = { platform, canReload: reloadDriver !== null, mayReboot: reboot !== null };
    onIssues([describeLostCard(what, this.#state?.tried ?? [], host)]);
  }
}
