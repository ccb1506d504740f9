import { describe, expect, it } from 'vitest';
import { Affinity } from './affinity.js';
import { defaultPredictSettings } from './predict-settings.js';

const settings = { ...defaultPredictSettings.affinity, mostSessions: 3 };
const capacityOf = (): number => 20_000;
const prefix = (bytes: number) => ({
  length: 1,
  words: Uint32Array.of(7, 9),
  atBytes: Uint32Array.of(bytes),
});
const session = (number: number) => ({ session: number, prefix: null });
const favoured = (affinity: Affinity, hints: Parameters<Affinity['pastOf']>[0], promptBytes = 1_000) =>
  affinity.pastOf(hints, promptBytes, 8, capacityOf)?.favoured ?? 'nobody knows';

describe('who is favoured', () => {
  it('is who served the session last', () => {
    const affinity = new Affinity(settings);
    expect(favoured(affinity, session(1))).toBe('nobody knows');
    affinity.sent(session(1), 4, 100);
    affinity.sent(session(1), 5, 100);
    expect(favoured(affinity, session(1))).toBe(5);
    expect(favoured(affinity, session(2))).toBe('nobody knows');
  });

  it('is who has most of the prompt, where that is half of it at least', () => {
    const affinity = new Affinity(settings);
    affinity.sent({ session: null, prefix: prefix(512) }, 2, 100);
    expect(favoured(affinity, { session: null, prefix: prefix(512) })).toBe(2);
    expect(favoured(affinity, { session: null, prefix: prefix(512) }, 2_000)).toBe(-1);
    affinity.restarted(2);
    expect(favoured(affinity, { session: null, prefix: prefix(512) })).toBe(-1);
  });

  it('is the session’s even where another has more of the prompt', () => {
    const affinity = new Affinity(settings);
    affinity.sent({ session: 1, prefix: prefix(512) }, 2, 100);
    affinity.sent({ session: null, prefix: prefix(512) }, 3, 100);
    expect(favoured(affinity, { session: 1, prefix: prefix(512) })).toBe(2);
  });

  it('is forgotten for sessions that were not used for longest', () => {
    const affinity = new Affinity(settings);
    for (const number of [1, 2, 3, 1, 4]) affinity.sent(session(number), number, 10);
    expect(affinity.sessionCount).toBe(3);
    expect([1, 2, 3, 4].map((number) => favoured(affinity, session(number)))).toEqual([
      1,
      'nobody knows',
      3,
      4,
    ]);
  });
});
