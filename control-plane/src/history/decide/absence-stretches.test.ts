import { expect, it } from 'vitest';
import { absenceStretches, type HostEvent } from './absence-stretches.js';

const at = (atMs: number, event: string, detail: string | null = null): HostEvent => ({
  atMs,
  event,
  detail,
});

it.each<[string, HostEvent[], unknown[]]>([
  [
    'goes with a word',
    [at(10, 'linked'), at(20, 'goodbye', 'suspend'), at(40, 'linked')],
    [{ state: 'asleep', fromMs: 20, toMs: 40, reason: 'suspend' }],
  ],
  [
    'falls silent',
    [at(10, 'linked'), at(50, 'away'), at(60, 'linked')],
    [{ state: 'away', fromMs: 20, toMs: 60, reason: null }],
  ],
  ['joins, and its agent starts', [at(10, 'linked'), at(11, 'goodbye', 'joined'), at(40, 'linked')], []],
  ['joins, and is told to be away', [at(10, 'linked'), at(11, 'goodbye', 'joined'), at(12, 'away')], []],
  [
    'joins, works and goes',
    [at(10, 'goodbye', 'joined'), at(20, 'linked'), at(30, 'goodbye', 'shutdown')],
    [{ state: 'asleep', fromMs: 30, toMs: 100, reason: 'shutdown' }],
  ],
])('the absences of a host that %s', (_, events, expected) => {
  expect(absenceStretches(events, 0, 100, 30)).toEqual(expected);
});
