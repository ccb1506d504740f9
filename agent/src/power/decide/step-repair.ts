import type { CardHealth } from './judge-repair.js';

/**
 * What is tried to get the cards back after a sleep, from the cheapest to the dearest. `proving`: engines that ran
 * through the sleep bring a token. `restarting`: they start anew. `reloading`: the driver's module is loaded anew.
 * `rebooting`: the machine is. `lost`: a person has to look.
 */
export type RepairRung = 'proving' | 'restarting' | 'reloading' | 'rebooting' | 'lost';

export interface RepairState {
  readonly rung: RepairRung;
  /** Since when; monotonic. */
  readonly sinceMs: number;
  /** In words, in their order. */
  readonly tried: readonly string[];
}

export interface RepairLook {
  readonly nowMs: number;
  readonly health: CardHealth;
  /** Where the driver's module can be loaded anew: on Linux, by root. */
  readonly canReload: boolean;
  /** The owner's policy has `reboot`. */
  readonly mayReboot: boolean;
}

export type RepairStep =
  | { readonly kind: 'wait' }
  /** The cards are proven. */
  | { readonly kind: 'done' }
  | { readonly kind: 'restart' | 'reload' | 'reboot' | 'tell_lost'; readonly what: string };

/** Sensors say what they knew before the sleep until they were read again. */
const SETTLES_MS = 15_000;
/** An engine that ran through the sleep loads nothing: it brings a token by then, or hangs. */
const PROOF_MS = 90_000;

const TRIED: Readonly<Record<RepairRung, string>> = {
  proving: 'the engines were asked for a token',
  restarting: 'the engines were started anew',
  reloading: 'nvidia_uvm was loaded anew',
  rebooting: 'the machine was told to restart',
  lost: '',
};

/** Begins after a sleep. @param stopped the engines were stopped before it, so that they start anew by themselves */
export function beginRepair(stopped: boolean, nowMs: number): RepairState {
  return { rung: stopped ? 'restarting' : 'proving', sinceMs: nowMs, tried: [] };
}

/** The next step of the ladder. Once it is lost it waits for the cards to be back, however that comes. */
export function stepRepair(
  state: RepairState,
  look: RepairLook,
): { readonly state: RepairState; readonly step: RepairStep } {
  const { health, nowMs } = look;
  const sinceMs = nowMs - state.sinceMs;
  if (sinceMs < SETTLES_MS) return stay(state, { kind: 'wait' });
  if (health.kind === 'well') return stay(state, { kind: 'done' });
  const hangs = state.rung === 'proving' && sinceMs >= PROOF_MS;
  if (health.kind === 'pending' && !hangs) return stay(state, { kind: 'wait' });
  if (state.rung === 'lost' || state.rung === 'rebooting') return stay(state, { kind: 'wait' });
  const what = health.kind === 'broken' ? health.what : 'no token came in time';
  const rung = nextRung(state.rung, look);
  return {
    state: { rung, sinceMs: nowMs, tried: [...state.tried, TRIED[state.rung]] },
    step: { kind: STEPS[rung], what },
  };
}

/** A restart that could not be asked for is as one that brought nothing. */
export function giveUpRepair(state: RepairState, nowMs: number): RepairState {
  return { rung: 'lost', sinceMs: nowMs, tried: [...state.tried, TRIED[state.rung]] };
}

const STEPS = {
  restarting: 'restart',
  reloading: 'reload',
  rebooting: 'reboot',
  lost: 'tell_lost',
} as const;

function nextRung(
  rung: 'proving' | 'restarting' | 'reloading',
  { canReload, mayReboot }: RepairLook,
): keyof typeof STEPS {
  if (rung === 'proving') return 'restarting';
  if (rung === 'restarting' && canReload) return 'reloading';
  return mayReboot ? 'rebooting' : 'lost';
}

function stay(state: RepairState, step: RepairStep) {
  return { state, step };
}
