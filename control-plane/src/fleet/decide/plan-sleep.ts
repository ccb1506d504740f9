import type { OwnerReport, PowerVerb } from '@ai-fabric/shared';
import type { Wakeability } from '../../live/host-power.js';

/** `container-only` frees the cards and leaves the machine on. */
export type SleepAction = Exclude<PowerVerb, 'reboot'> | 'container-only';

/** Who wants a host asleep: the declared idle time, or an operator who says so now. */
export type SleepAsker = 'idle' | 'operator' | 'rehearsal';

/** What keeps a host awake: a code, for listings and logs. */
export type SleepGuard =
  | 'not_declared'
  | 'own_host'
  | 'not_here'
  | 'old_agent'
  | 'wake_under_way'
  | 'going_to_sleep'
  | 'parked_already'
  | 'verb_not_possible'
  | 'wake_not_proven'
  | 'not_wakeable'
  | 'keep_awake'
  | 'awake_hours'
  | 'minimum_up'
  | 'failed_lately'
  | 'owner_present'
  | 'remote_session'
  | 'other_gpu_user'
  | 'pulling'
  | 'last_relay'
  | 'requests'
  | 'not_idle_yet';

export interface SleepInput {
  readonly host: string;
  readonly asker: SleepAsker;
  /** An operator has read the guards and wants it all the same; none of those that protect the fabric itself yields to it. */
  readonly isForced: boolean;
  readonly action: SleepAction | 'none';
  /** `null`: never by itself. */
  readonly afterIdleMs: number | null;
  /** This machine runs the control plane. */
  readonly isOwnHost: boolean;
  readonly isLinked: boolean;
  /** Its agent knows the commands. */
  readonly knowsPower: boolean;
  readonly isWaking: boolean;
  readonly isGoingToSleep: boolean;
  readonly isParked: boolean;
  /** What its agent can do and its owner allows; `null`: not told. */
  readonly verbs: readonly PowerVerb[] | null;
  /** It came back from the state that the action leads to, up to a token, and out of power-off without anybody's help. */
  readonly isWakeProven: boolean;
  readonly isWindows: boolean;
  /** As it stands now: a driver update may have disarmed what was proven. */
  readonly wakeability: Wakeability;
  /** That count as use. */
  readonly requestsInFlight: number;
  readonly requestsQueued: number;
  /** Since the last request that counts ended, or since it came; `null`: one runs. */
  readonly idleForMs: number | null;
  readonly keepAwakeForMs: number;
  /** `null`: these are none of its awake hours. */
  readonly awakeHoursEndInMs: number | null;
  readonly minimumUpForMs: number;
  /** After an attempt that came to nothing it is left alone for so long. */
  readonly restForMs: number;
  readonly owner: OwnerReport | null;
  /** Somebody's work is on its cards, whatever that means to the fabric. */
  readonly othersUseCards: boolean;
  /** A deployment whose image or weights are being fetched; `null`: none is. */
  readonly pulling: string | null;
  /** Hosts that sleep, and that nobody but this one could send a packet to. */
  readonly lastRelayOf: readonly string[];
}

export type SleepPlan =
  | { readonly kind: 'sleep'; readonly action: SleepAction }
  | {
      readonly kind: 'stay';
      readonly guard: SleepGuard;
      /** In words, with what changes it. */
      readonly detail: string;
      /** Something changes by itself then; `null`: an event tells. */
      readonly lookAgainInMs: number | null;
      /** An operator may go past it. */
      readonly mayBeForced: boolean;
    };

type Stay = Extract<SleepPlan, { kind: 'stay' }>;

/**
 * Whether a host may go to sleep now, and if not, what keeps it awake: the first guard that holds, those that no operator
 * can go past before those that one can.
 */
export function planSleep(input: SleepInput): SleepPlan {
  const { action, asker, isForced } = input;
  if (action === 'none') {
    return stay(
      'not_declared',
      `fabric.yaml declares that ${input.host} does not sleep (sleep.action: none)`,
    );
  }
  const firm = firmGuard(input, action);
  if (firm !== null) return firm;
  const soft = softGuard(input);
  if (soft !== null && !(isForced && asker !== 'idle')) return soft;
  if (asker === 'idle') {
    const early = idleGuard(input);
    if (early !== null) return early;
  }
  return { kind: 'sleep', action };
}

/** What holds whoever asks. */
function firmGuard(input: SleepInput, action: SleepAction): Stay | null {
  const { host } = input;
  if (input.isOwnHost && action !== 'container-only') {
    return stay('own_host', `${host} runs the control plane: asleep it could wake nobody, nor be asked to`);
  }
  if (!input.isLinked)
    return stay('not_here', `${host} has no link: it is asleep, off or out of reach already`);
  if (!input.knowsPower) {
    return stay('old_agent', `the agent of ${host} is too old to be told: upgrade it`);
  }
  if (input.isWaking) return stay('wake_under_way', `${host} is being woken for a request`);
  if (input.isGoingToSleep) return stay('going_to_sleep', `${host} is on its way to sleep already`);
  if (action === 'container-only') {
    return input.isParked ? stay('parked_already', `the engines of ${host} are parked already`) : null;
  }
  if (input.verbs === null) {
    return stay('verb_not_possible', `the agent of ${host} has not told yet what its machine can do`);
  }
  if (!input.verbs.includes(action)) {
    const can = input.verbs.length === 0 ? 'nothing' : input.verbs.join(', ');
    const why = `it can and may do ${can} (agent.yaml: power)`;
    return stay('verb_not_possible', `${host} cannot ${action}: ${why}`);
  }
  // What nobody has seen come back is not sent away by a machine's own decision.
  if (input.asker === 'idle' && !input.isWakeProven) {
    const how = `prove it once: ai-fabric hosts rehearse ${host}`;
    return stay('wake_not_proven', `${host} was never seen to come back from ${action}; ${how}`);
  }
  if (input.asker === 'idle' && input.wakeability.kind === 'no') {
    return stay('not_wakeable', `${host} could not be woken again: ${input.wakeability.detail}`);
  }
  return null;
}

/** What an operator may go past. */
function softGuard(input: SleepInput): Stay | null {
  const { host, owner } = input;
  if (input.keepAwakeForMs > 0) {
    const detail = `an operator keeps ${host} awake for ${spanText(input.keepAwakeForMs)} more`;
    return soft('keep_awake', detail, input.keepAwakeForMs);
  }
  if (owner !== null && owner.state !== 'serving') {
    return soft('other_gpu_user', `the card of ${host} is its owner's now (${owner.detail ?? owner.state})`);
  }
  if (input.othersUseCards) return soft('other_gpu_user', `others use the cards of ${host}`);
  if (owner?.remoteSession === true) return soft('remote_session', `somebody is on ${host} from afar`);
  if (owner?.present === true) return soft('owner_present', `somebody is at ${host}`);
  if (input.pulling !== null) return soft('pulling', `${host} fetches ${input.pulling}`);
  if (input.asker === 'rehearsal' && input.requestsInFlight > 0) return requestsGuard(input);
  return relayGuard(input) ?? powerOffGuard(input);
}

/** A Windows that was off may stand at its login screen: an operator is told before it goes, and may insist. */
function powerOffGuard({ host, asker, action, isWindows, isWakeProven }: SleepInput): Stay | null {
  if (asker !== 'operator' || action !== 'poweroff' || !isWindows || isWakeProven) return null;
  const how = `suspend it, or prove it once: ai-fabric hosts rehearse ${host} --action poweroff`;
  const detail = `${host} runs Windows and was never seen to come back from power-off by itself, with nobody to sign in; ${how}`;
  return soft('wake_not_proven', detail);
}

/** Its cards alone do not send packets. */
function relayGuard({ host, action, lastRelayOf }: SleepInput): Stay | null {
  if (action === 'container-only' || lastRelayOf.length === 0) return null;
  const [some, more] = [lastRelayOf.slice(0, MOST_NAMED), lastRelayOf.length - MOST_NAMED];
  const names = more > 0 ? `${some.join(', ')} and ${more} more` : some.join(' and ');
  const detail = `${host} is the last one awake that could wake ${names}: leave it on, or another host of that LAN`;
  return soft('last_relay', detail);
}

const MOST_NAMED = 3;

/** What only counts for a host that is to sleep by itself. */
function idleGuard(input: SleepInput): Stay | null {
  const { host, afterIdleMs, idleForMs } = input;
  if (afterIdleMs === null) {
    return stay('not_declared', `fabric.yaml declares no sleep.afterIdleMinutes for ${host}`);
  }
  if (input.requestsInFlight > 0 || input.requestsQueued > 0 || idleForMs === null)
    return requestsGuard(input);
  if (input.awakeHoursEndInMs !== null) {
    return soft('awake_hours', `these are awake hours of ${host}`, input.awakeHoursEndInMs);
  }
  if (input.minimumUpForMs > 0) {
    const detail = `${host} was woken lately and stays up for ${spanText(input.minimumUpForMs)} more`;
    return soft('minimum_up', detail, input.minimumUpForMs);
  }
  if (input.restForMs > 0) {
    const detail = `${host} did not go to sleep when it was asked lately; tried again in ${spanText(input.restForMs)}`;
    return soft('failed_lately', detail, input.restForMs);
  }
  const leftMs = afterIdleMs - idleForMs;
  if (leftMs > 0) return soft('not_idle_yet', `${host} sleeps in ${spanText(leftMs)} if nobody asks`, leftMs);
  return null;
}

function requestsGuard({ host, requestsInFlight, requestsQueued }: SleepInput): Stay {
  const queued = requestsQueued > 0 ? `, ${requestsQueued} wait` : '';
  return soft('requests', `${requestsInFlight} requests run on ${host}${queued}`);
}

function stay(guard: SleepGuard, detail: string): Stay {
  return { kind: 'stay', guard, detail, lookAgainInMs: null, mayBeForced: false };
}

function soft(guard: SleepGuard, detail: string, lookAgainInMs: number | null = null): Stay {
  return { kind: 'stay', guard, detail, lookAgainInMs, mayBeForced: true };
}

function spanText(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 6) / 10} h`;
}
