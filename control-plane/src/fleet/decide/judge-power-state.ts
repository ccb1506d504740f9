import type { PowerState } from '../../live/host-power.js';
import type { Presence } from '../../live/live-view.js';

/** What a host went to sleep by, or was in when it was last away. */
export type FromState = 'suspend' | 'hibernate' | 'poweroff' | 'unknown';

/** What a wake begins from: the machine may be on, and its engines parked. */
export type WakeFrom = FromState | 'parked';

export interface PowerFacts {
  readonly presence: Presence;
  /** What it said when it went; `null`: nothing. */
  readonly goodbyeReason: string | null;
  /** By what the fabric put it to sleep, and it has not come back since; `null`: it was not the fabric. */
  readonly sleptBy: Exclude<FromState, 'unknown'> | null;
  /** It is on, and its engines are parked: its cards are free, and a wake brings them back. */
  readonly isParked: boolean;
  /** A wake is under way. */
  readonly isWaking: boolean;
}

/** What a host's power is, from its link and what it said. */
export function judgePowerState(facts: PowerFacts): PowerState {
  const { presence, goodbyeReason, sleptBy, isParked, isWaking } = facts;
  if (isWaking) return 'waking';
  switch (presence) {
    case 'online':
      return isParked ? 'asleep' : 'online';
    case 'unseen':
    case 'late':
      return presence;
    case 'away':
      return sleptBy !== null || saidThatItSleeps(goodbyeReason) ? 'asleep' : 'offline';
    default:
      return presence satisfies never;
  }
}

/** Which sleep a host that is away would come back from. */
export function judgeFromState({
  goodbyeReason,
  sleptBy,
}: Pick<PowerFacts, 'goodbyeReason' | 'sleptBy'>): FromState {
  if (sleptBy !== null) return sleptBy;
  if (goodbyeReason === 'suspend') return 'suspend';
  return goodbyeReason === 'shutdown' ? 'poweroff' : 'unknown';
}

function saidThatItSleeps(goodbyeReason: string | null): boolean {
  return goodbyeReason === 'suspend' || goodbyeReason === 'shutdown';
}
