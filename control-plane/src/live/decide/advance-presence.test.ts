import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advancePresence, type PresenceEvent, type PresenceState, presenceOf } from './advance-presence.js';

const WALL = 1_700_000_000_000;
const at = (monotonicMs: number) => ({ monotonicMs, wallMs: WALL + monotonicMs });

/** Runs events at their times and gives what the host is in the end. */
function after(...steps: readonly (readonly [number, PresenceEvent])[]): PresenceState {
  return steps.reduce<PresenceState>(
    (state, [ms, event]) => advancePresence(state, event, at(ms)),
    presenceOf('unseen', WALL),
  );
}
const linked = { kind: 'linked' } as const;
const heard = { kind: 'heard' } as const;
const tick = { kind: 'tick' } as const;
const broke = { kind: 'unlinked', final: false } as const;
const left = { kind: 'unlinked', final: true } as const;

describe('presence', () => {
  it('is unseen until the host links, however long that takes', () => {
    expect(after([0, tick], [1e9, tick], [1e9, heard]).presence).toBe('unseen');
    expect(after([5, linked])).toMatchObject({ presence: 'online', sinceMs: WALL + 5 });
  });

  it.each([
    [11_999, 'online'],
    [12_000, 'late'],
    [29_999, 'late'],
    [30_000, 'away'],
  ])('after %i ms of silence is %s', (silentMs, presence) => {
    expect(after([100, linked], [100 + silentMs, tick]).presence).toBe(presence);
  });

  it('comes back with any sign of life from late, since then', () => {
    const state = after([0, linked], [13_000, tick], [14_000, heard], [14_500, tick]);
    expect(state).toMatchObject({ presence: 'online', sinceMs: WALL + 14_000 });
  });

  it('comes back from away too while its link is still being given up', () => {
    expect(after([0, linked], [30_000, tick], [30_400, heard]).presence).toBe('online');
  });

  it('keeps the time since which it is what it is', () => {
    const state = after([0, linked], [1_000, heard], [2_000, tick], [3_000, linked]);
    expect(state.sinceMs).toBe(WALL);
  });

  it('goes away at once when the host says that it goes', () => {
    expect(after([0, linked], [1_000, left])).toMatchObject({ presence: 'away', sinceMs: WALL + 1_000 });
  });

  it('holds through a broken link until its silence counts', () => {
    expect(after([0, linked], [1_000, broke], [2_000, tick]).presence).toBe('online');
    expect(after([0, linked], [1_000, broke], [12_000, tick]).presence).toBe('late');
    expect(after([0, linked], [1_000, broke], [30_000, tick]).presence).toBe('away');
    expect(after([0, linked], [1_000, broke], [9_000, linked], [15_000, tick]).presence).toBe('online');
  });

  it('is not brought back by what was under way when the link ended', () => {
    expect(after([0, linked], [1, left], [2, heard]).presence).toBe('away');
    expect(after([0, linked], [1, broke], [29_000, heard], [30_000, tick]).presence).toBe('away');
  });

  it('stays away, and unseen, while nothing links', () => {
    expect(after([0, linked], [1, left], [1e9, tick])).toMatchObject({ presence: 'away', sinceMs: WALL + 1 });
    expect(after([1, left]).presence).toBe('unseen');
  });

  it('gives back the same value when nothing changes', () => {
    const online = after([0, linked]);
    expect(advancePresence(online, tick, at(5))).toBe(online);
    const away = presenceOf('away', WALL);
    for (const event of [tick, heard, broke, left]) expect(advancePresence(away, event, at(9e9))).toBe(away);
  });

  it('never depends on the wall clock', () => {
    const events = fc.constantFrom<PresenceEvent>(linked, heard, tick, broke, left);
    const steps = fc.array(fc.tuple(fc.nat(20_000), events), { maxLength: 30 });
    fc.assert(
      fc.property(steps, fc.array(fc.integer()), (given, walls) => {
        let ms = 0;
        let one = presenceOf('unseen', 0);
        let other = presenceOf('unseen', 0);
        for (const [index, [waitMs, event]] of given.entries()) {
          ms += waitMs;
          one = advancePresence(one, event, at(ms));
          other = advancePresence(other, event, { monotonicMs: ms, wallMs: walls[index] ?? 0 });
          expect(other.presence).toBe(one.presence);
        }
      }),
    );
  });
});
