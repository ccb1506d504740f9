import { describe, expect, it } from 'vitest';
import { type LastSleep, SleepBook } from './sleep-book.js';

const slept: LastSleep = {
  ...{ atMs: 1, action: 'suspend', asker: 'idle', end: { kind: 'asleep', action: 'suspend' } },
};
const failed: LastSleep = { ...slept, end: { kind: 'failed', code: 'void', detail: 'no' } };

describe('what came of sleeps', () => {
  it('is the last one of each host, and how many there were and how long they took', () => {
    const book = new SleepBook();
    expect(book.last('armitage')).toBeNull();
    expect(book.counts()).toEqual([]);
    book.add('armitage', slept, 4_000);
    book.add('wintermute', slept, 2_000);
    book.add('armitage', failed, 500);
    expect(book.last('armitage')).toBe(failed);
    expect(book.counts()).toEqual([
      { action: 'suspend', outcome: 'asleep', count: 2, seconds: 6 },
      { action: 'suspend', outcome: 'failed', count: 1, seconds: 0.5 },
    ]);
    book.forget('armitage');
    expect(book.last('armitage')).toBeNull();
  });
});
