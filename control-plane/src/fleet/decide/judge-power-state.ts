import type { PowerState } from '../../live/host-power.js';
import type { Presence } from '../../live/live-view.js';

/** What a host went to sleep by, or was in when it was last away. */
export type FromState = 'suspend' | 'hibernate' | 'poweroff' | 'unknown';

export interface PowerFacts {
  readonly presence: Presence;
  /** What it said when it went; `null`: nothing. */
  readonly goodbyeReason: string | null;
  /** By what the fabric put it to sleep, and it has not come back since; `null`: it was not the fabric. */
  readonly sleptBy: Exclude<FromState, 'unknown'> | null;
  /** A wake is under way. */
  readonly isWaking: boolean;
  /** Its machine is on, and its engines are parked until somebody asks. */
  readonly isParked: boolean;
}

/** What a host's power is, from its link and what it said. */
export function judgePowerState(facts: PowerFacts): PowerState {
  const { presence, goodbyeReason, sleptBy, isWaking, isParked } = facts;
  if (isWaking) return 'waking';
  if (isParked && presence === 'online') return 'asleep';
  switch (presence) {
    case 'unseen':
    case 'online':
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
