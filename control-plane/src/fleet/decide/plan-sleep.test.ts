import type { OwnerReport } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { planSleep, type SleepGuard, type SleepInput } from './plan-sleep.js';

const MINUTE_MS = 60_000;

const owner: OwnerReport = {
  ...{ state: 'serving', cause: null, detail: null, stateSeconds: 900, freedSeconds: null },
  ...{ foreignVramBytes: 0, foreignUtilisationRatio: 0, present: false, remoteSession: false, processes: [] },
};

/** Everything speaks for sleeping. */
function inputOf(more: Partial<SleepInput> = {}): SleepInput {
  return {
    ...{ host: 'armitage', asker: 'idle', isForced: false, action: 'suspend', afterIdleMs: 30 * MINUTE_MS },
    ...{ isOwnHost: false, isLinked: true, knowsPower: true, isWaking: false, isGoingToSleep: false },
    ...{ isParked: false, restForMs: 0 },
    ...{ verbs: ['suspend', 'poweroff'], isWakeProven: true, requestsInFlight: 0, requestsQueued: 0 },
    ...{ idleForMs: 31 * MINUTE_MS, keepAwakeForMs: 0, awakeHoursEndInMs: null, minimumUpForMs: 0 },
    ...{ owner, othersUseCards: false, wakeability: { kind: 'yes', proven: true }, pulling: null },
    ...{ lastRelayOf: [], isWindows: false },
    ...more,
  };
}

function guardOf(more: Partial<SleepInput>): SleepGuard | null {
  const plan = planSleep(inputOf(more));
  return plan.kind === 'stay' ? plan.guard : null;
}

const FIRM: [SleepGuard, Partial<SleepInput>][] = [
  ['not_declared', { action: 'none' }],
  ['own_host', { isOwnHost: true }],
  ['not_here', { isLinked: false }],
  ['old_agent', { knowsPower: false }],
  ['wake_under_way', { isWaking: true }],
  ['going_to_sleep', { isGoingToSleep: true }],
  ['parked_already', { action: 'container-only', isParked: true }],
  ['verb_not_possible', { verbs: null }],
  ['verb_not_possible', { verbs: [] }],
  ['verb_not_possible', { verbs: ['poweroff'] }],
  ['verb_not_possible', { action: 'poweroff', verbs: ['suspend'] }],
];
const SOFT: [SleepGuard, Partial<SleepInput>][] = [
  ['keep_awake', { keepAwakeForMs: 1 }],
  ['other_gpu_user', { owner: { ...owner, state: 'yielding' } }],
  ['other_gpu_user', { owner: { ...owner, state: 'yielded' } }],
  ['other_gpu_user', { othersUseCards: true }],
  ['remote_session', { owner: { ...owner, remoteSession: true } }],
  ['owner_present', { owner: { ...owner, present: true } }],
  ['pulling', { pulling: 'qwen' }],
  ['last_relay', { lastRelayOf: ['wintermute'] }],
];
const IDLE_ONLY: [SleepGuard, Partial<SleepInput>][] = [
  ['wake_not_proven', { isWakeProven: false }],
  ['not_wakeable', { wakeability: { kind: 'no', reason: 'wake_disarmed', detail: 'off' } }],
  ['not_declared', { afterIdleMs: null }],
  ['requests', { requestsInFlight: 1 }],
  ['requests', { requestsQueued: 1 }],
  ['requests', { idleForMs: null }],
  ['awake_hours', { awakeHoursEndInMs: 5 }],
  ['minimum_up', { minimumUpForMs: 5 }],
  ['failed_lately', { restForMs: 5 }],
  ['not_idle_yet', { idleForMs: 29 * MINUTE_MS }],
];

describe('a host', () => {
  it.each(['suspend', 'poweroff', 'container-only'] as const)('that is idle goes to sleep: %s', (action) => {
    expect(planSleep(inputOf({ action }))).toEqual({ kind: 'sleep', action });
  });

  it.each([...FIRM, ...SOFT, ...IDLE_ONLY])('is kept awake: %s', (guard, more) => {
    expect(guardOf(more)).toBe(guard);
  });

  it.each(FIRM)('is kept awake whoever asks, and however: %s', (guard, more) => {
    for (const asker of ['operator', 'rehearsal'] as const) {
      expect(guardOf({ ...more, asker, isForced: true })).toBe(guard);
    }
  });

  it.each(SOFT)('goes all the same where an operator insists: %s', (guard, more) => {
    expect(guardOf({ ...more, asker: 'operator' })).toBe(guard);
    expect(guardOf({ ...more, asker: 'operator', isForced: true })).toBeNull();
  });

  it.each(SOFT)('is never forced by its own idleness: %s', (guard, more) => {
    expect(guardOf({ ...more, isForced: true })).toBe(guard);
  });

  it.each(IDLE_ONLY)('goes when an operator says so: %s', (_, more) => {
    expect(guardOf({ ...more, asker: 'operator' })).toBeNull();
  });

  it('frees its card on the control plane’s own machine too, without a proof or a verb', () => {
    const more = { action: 'container-only', isOwnHost: true, verbs: null } as const;
    expect(guardOf(more)).toBeNull();
  });

  it('is not taken from the requests that run for a rehearsal', () => {
    expect(guardOf({ asker: 'rehearsal', requestsInFlight: 1 })).toBe('requests');
    expect(guardOf({ asker: 'rehearsal', isWakeProven: false })).toBeNull();
  });

  it.each(SOFT)('is rehearsed all the same where an operator insists: %s', (guard, more) => {
    expect(guardOf({ ...more, asker: 'rehearsal' })).toBe(guard);
    expect(guardOf({ ...more, asker: 'rehearsal', isForced: true })).toBeNull();
  });

  it.each<[Partial<SleepInput>, SleepGuard | null]>([
    [{}, 'wake_not_proven'],
    [{ isForced: true }, null],
    [{ asker: 'rehearsal' }, null],
    [{ isWakeProven: true }, null],
    [{ isWindows: false }, null],
    [{ action: 'suspend' }, null],
    [{ asker: 'idle', isForced: true }, 'wake_not_proven'],
  ])('with Windows is not powered off on a whim before that was proven: %j', (more, guard) => {
    const asked = { asker: 'operator', action: 'poweroff', isWindows: true, isWakeProven: false } as const;
    expect(guardOf({ ...asked, ...more })).toBe(guard);
  });

  it.each<[Partial<SleepInput>, number]>([
    [{ keepAwakeForMs: 7_200_000 }, 7_200_000],
    [{ awakeHoursEndInMs: 90_000 }, 90_000],
    [{ minimumUpForMs: 12_000 }, 12_000],
    [{ idleForMs: 20 * MINUTE_MS }, 10 * MINUTE_MS],
  ])('is looked at again when that is over: %j', (more, lookAgainInMs) => {
    expect(planSleep(inputOf(more))).toMatchObject({ kind: 'stay', lookAgainInMs });
  });

  it('says in words what keeps it awake, and what mends it', () => {
    expect(planSleep(inputOf({ isWakeProven: false }))).toMatchObject({
      detail:
        'armitage was never seen to come back from suspend; prove it once: ai-fabric hosts rehearse armitage',
    });
    expect(planSleep(inputOf({ keepAwakeForMs: 7_200_000 }))).toMatchObject({
      detail: 'an operator keeps armitage awake for 2 h more',
    });
    expect(planSleep(inputOf({ verbs: ['poweroff'] }))).toMatchObject({
      detail: 'armitage cannot suspend: it can and may do poweroff (agent.yaml: power)',
    });
  });
});
