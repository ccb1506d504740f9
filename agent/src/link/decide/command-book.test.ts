import type { Command } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  beginCommand,
  type CommandBook,
  emptyCommandBook,
  finishCommand,
  markArrived,
  markSent,
  receiveCommand,
  unconfirmedOutcomes,
} from './command-book.js';

const command: Command = { name: 'apply_desired', revision: 1, replicas: [] };

function receive(book: CommandBook, commandId: string, nowMs = 0, ttlMs = 1_000) {
  return receiveCommand(book, { commandId, ttlMs, command }, nowMs);
}

function run(book: CommandBook, commandId: string): CommandBook {
  const begun = beginCommand(receive(book, commandId).book, 0);
  expect(begun.begun?.commandId).toBe(commandId);
  return finishCommand(begun.book, commandId, { result: 'done' }).book;
}

describe('a command', () => {
  test('is begun once, and told its outcome again when it comes again', () => {
    const book = run(emptyCommandBook, 'c1');
    const again = receive(book, 'c1');
    expect(again.answer).toEqual({ commandId: 'c1', result: 'done', code: null, detail: null });
    expect(beginCommand(again.book, 0).begun).toBeNull();
  });

  test('that comes again while it runs or waits is neither begun nor answered twice', () => {
    const waiting = receive(emptyCommandBook, 'c1').book;
    expect(receive(waiting, 'c1')).toEqual({ book: waiting, answer: null });
    const running = beginCommand(waiting, 0).book;
    expect(receive(running, 'c1')).toEqual({ book: running, answer: null });
  });

  test('keeps the outcome of a failure too', () => {
    const begun = beginCommand(receive(emptyCommandBook, 'c1').book, 0).book;
    const { book } = finishCommand(begun, 'c1', {
      result: 'failed',
      code: 'internal',
      detail: 'x'.repeat(900),
    });
    expect(receive(book, 'c1').answer).toMatchObject({ result: 'failed', code: 'internal' });
    expect(receive(book, 'c1').answer?.detail).toHaveLength(500);
  });

  test('may be begun until its time is over, counted from its arrival', () => {
    const book = receive(emptyCommandBook, 'c1', 5_000, 1_000).book;
    expect(beginCommand(book, 6_000).begun?.commandId).toBe('c1');
    const late = beginCommand(book, 6_001);
    expect(late.begun).toBeNull();
    expect(late.expired).toMatchObject([{ commandId: 'c1', result: 'expired' }]);
    expect(receive(late.book, 'c1', 6_002).answer).toMatchObject({ result: 'expired' });
  });

  test('behind a long one expires while a later one with more time is begun', () => {
    const first = beginCommand(receive(emptyCommandBook, 'long').book, 0).book;
    const queued = receive(receive(first, 'short', 0, 10).book, 'patient', 0, 99_000).book;
    expect(beginCommand(queued, 50).begun).toBeNull();
    const free = finishCommand(queued, 'long', { result: 'done' }).book;
    const next = beginCommand(free, 50);
    expect(next.begun?.commandId).toBe('patient');
    expect(next.expired.map(({ commandId }) => commandId)).toEqual(['short']);
    expect(next.book.queue).toEqual([]);
  });

  test('that changes no replica waits for none that does, nor keeps one waiting', () => {
    const long = beginCommand(receive(emptyCommandBook, 'long').book, 0).book;
    const waiting = receive(long, 'behind').book;
    const wake = { commandId: 'unpark', ttlMs: 1_000, command: { name: 'unpark' } } as const;
    const next = beginCommand(receiveCommand(waiting, wake, 5).book, 5);
    expect(next.begun?.commandId).toBe('unpark');
    expect(beginCommand(next.book, 5).begun).toBeNull();
    const free = finishCommand(next.book, 'long', { result: 'done' }).book;
    expect(beginCommand(free, 6).begun?.commandId).toBe('behind');
  });

  test('is refused when too many are under way at once', () => {
    let book = emptyCommandBook;
    for (let n = 0; n < 32; n += 1) {
      const arrived = { commandId: `c${n}`, ttlMs: 1_000, command: { name: 'unpark' } } as const;
      book = beginCommand(receiveCommand(book, arrived, 0).book, 0).book;
    }
    expect(receive(book, 'one-more').answer).toMatchObject({ code: 'too_many_commands' });
  });

  test('is refused when too many wait, and that is not remembered: it may come again', () => {
    let book = beginCommand(receive(emptyCommandBook, 'running').book, 0).book;
    for (let n = 0; n < 32; n += 1) book = receive(book, `c${n}`).book;
    const refused = receive(book, 'one-more');
    expect(refused.answer).toMatchObject({ result: 'refused', code: 'too_many_commands' });
    expect(refused.book).toBe(book);
  });
});

describe('an outcome', () => {
  const done = run(emptyCommandBook, 'c1');

  test('is told on the next link until it is known to have arrived', () => {
    expect(unconfirmedOutcomes(done)).toHaveLength(1);
    expect(unconfirmedOutcomes(markSent(done, 'c1', 4))).toHaveLength(1);
  });

  test('has arrived when a report that was sent after it is acknowledged', () => {
    const sent = markSent(done, 'c1', 4);
    expect(unconfirmedOutcomes(markArrived(sent, 4))).toHaveLength(1);
    expect(unconfirmedOutcomes(markArrived(sent, 5))).toEqual([]);
  });

  test('that was never sent has not arrived, whatever is acknowledged', () => {
    expect(unconfirmedOutcomes(markArrived(done, 99))).toHaveLength(1);
  });

  test('that arrived is still the answer to a repeated command', () => {
    expect(receive(markArrived(markSent(done, 'c1', 4), 5), 'c1').answer).toMatchObject({ result: 'done' });
  });
});

test('whatever comes, no command is begun twice and the book stays within its bounds', () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('receive' as const),
      id: fc.nat(400),
      ttlMs: fc.integer({ min: 1, max: 50 }),
    }),
    fc.record({ kind: fc.constantFrom('begin' as const, 'finish' as const) }),
    fc.record({ kind: fc.constant('ack' as const), seq: fc.nat(100) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      let book = emptyCommandBook;
      const begun: string[] = [];
      for (const [nowMs, item] of steps.entries()) {
        if (item.kind === 'receive') book = receive(book, `c${item.id}`, nowMs, item.ttlMs).book;
        else if (item.kind === 'ack') book = markArrived(book, item.seq);
        else if (item.kind === 'begin') {
          const next = beginCommand(book, nowMs);
          if (next.begun) begun.push(next.begun.commandId);
          book = next.book;
        } else {
          const [running] = book.running;
          if (running) book = finishCommand(book, running.commandId, { result: 'done' }).book;
        }
      }
      expect(new Set(begun).size).toBe(begun.length);
      expect(book.queue.length).toBeLessThanOrEqual(32);
      expect(book.outcomes.length).toBeLessThanOrEqual(256);
    }),
  );
});
