import { emptyGpuReading } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import type { GpuRow } from './parse-gpu-csv-line.js';
import {
  beginRun,
  type CardBook,
  emptyCardBook,
  freshReadings,
  healthyBusIds,
  lostCardIssues,
  onlyCard,
  recordLostCard,
  recordRow,
} from './track-cards.js';

const A = 'GPU-aaaaaaaa';
const B = 'GPU-bbbbbbbb';
const C = 'GPU-cccccccc';
const BUS: Record<string, string> = { [A]: '0000:01:00.0', [B]: '0000:02:00.0', [C]: '0000:03:00.0' };

function row(uuid: string, over: Partial<GpuRow> = {}): GpuRow {
  const index = [A, B, C].indexOf(uuid);
  return {
    uuid,
    index,
    busId: BUS[uuid] ?? null,
    lost: false,
    reading: { ...emptyGpuReading, powerWatts: 1 },
    ...over,
  };
}

const feed = (book: CardBook, uuids: readonly string[], atMs = 0): CardBook =>
  uuids.reduce((now, uuid) => recordRow(now, row(uuid), atMs), book);

const lost = (book: CardBook): string[] => lostCardIssues(book).map(({ subject }) => subject);

describe('the cards of a host', () => {
  it('are read by UUID, whatever their order', () => {
    const book = feed(emptyCardBook, [A, B, B, A], 10);
    expect(Object.keys(freshReadings(book, 10, 0)).sort()).toEqual([A, B]);
    expect(lost(book)).toEqual([]);
  });

  it('have a reading only as long as it is fresh', () => {
    const book = feed(emptyCardBook, [A], 1_000);
    expect(freshReadings(book, 7_000, 6_000)).toHaveProperty(A);
    expect(freshReadings(book, 7_001, 6_000)).toEqual({});
  });

  it('keep their last reading, not their first', () => {
    const book = recordRow(
      feed(emptyCardBook, [A]),
      row(A, { reading: { ...emptyGpuReading, powerWatts: 2 } }),
      5,
    );
    expect(freshReadings(book, 5, 0)[A]?.powerWatts).toBe(2);
  });
});

describe('a card that stops answering', () => {
  it('is lost after two whole ticks without it, and the others go on', () => {
    const once = feed(emptyCardBook, [A, B, A, A]);
    expect(lost(once)).toEqual([]);
    const twice = feed(once, [A]);
    expect(lost(twice)).toEqual([B]);
    expect(Object.keys(freshReadings(twice, 0, 0))).toEqual([A]);
  });

  it('is lost as well when it was the first of each tick', () => {
    expect(lost(feed(emptyCardBook, [A, B, A, B, B, B, B]))).toEqual([A]);
  });

  it('is not lost for one garbled line', () => {
    expect(lost(feed(emptyCardBook, [A, B, A, A, B, A, B, A, B]))).toEqual([]);
  });

  it('is not lost because a run of the tool ended in mid-tick', () => {
    let book = feed(emptyCardBook, [A, B]);
    for (let run = 0; run < 5; run += 1) book = feed(beginRun(book), [A]);
    expect(lost(feed(book, [B]))).toEqual([]);
  });

  it('comes back with its next row', () => {
    const book = feed(emptyCardBook, [A, B, A, A, A]);
    expect(lost(book)).toEqual([B]);
    expect(lost(feed(book, [B]))).toEqual([]);
  });
});

describe('a card that the driver calls lost', () => {
  it('is lost at once and has no reading', () => {
    const book = recordRow(feed(emptyCardBook, [A, B]), row(B, { lost: true }), 0);
    expect(lost(book)).toEqual([B]);
    expect(Object.keys(freshReadings(book, 0, 0))).toEqual([A]);
    expect(healthyBusIds(book)).toEqual([BUS[A]]);
  });

  it('is told by its place when the driver forgot its UUID', () => {
    const known = feed(emptyCardBook, [A, B]);
    expect(lost(recordRow(known, row(B, { uuid: null, lost: true }), 0))).toEqual([B]);
    expect(lost(recordRow(known, row(B, { uuid: null, busId: null, lost: true }), 0))).toEqual([B]);
  });

  it('is named by its place when its UUID was never learnt, until it answers', () => {
    const book = recordRow(feed(emptyCardBook, [A]), row(B, { uuid: null, lost: true }), 0);
    expect(lost(book)).toEqual([BUS[B]]);
    expect(lost(feed(book, [B]))).toEqual([]);
    const byIndex = recordRow(emptyCardBook, row(B, { uuid: null, busId: null, lost: true }), 0);
    expect(lost(byIndex)).toEqual(['index 1']);
    expect(lost(feed(byIndex, [B]))).toEqual([]);
  });

  it('is lost by the address in an error text, once', () => {
    const book = feed(emptyCardBook, [A, B]);
    expect(lost(recordLostCard(book, '0000:02:00.0'))).toEqual([B]);
    const unknown = recordLostCard(recordLostCard(book, '0000:09:00.0'), '0000:09:00.0');
    expect(lost(unknown)).toEqual(['0000:09:00.0']);
  });

  it('is one issue when it is shown with its UUID after it was lost by its address', () => {
    const byAddress = recordLostCard(feed(emptyCardBook, [A]), BUS[B] as string);
    expect(lost(byAddress)).toEqual([BUS[B]]);
    const named = recordRow(byAddress, row(B, { lost: true }), 0);
    expect(lost(named)).toEqual([B]);
    expect(lost(recordLostCard(named, BUS[B] as string))).toEqual([B]);
    expect(lost(feed(named, [B]))).toEqual([]);
  });

  it('carries a severity and a fix', () => {
    const [issue] = lostCardIssues(recordLostCard(feed(emptyCardBook, [A]), BUS[A] as string));
    expect(issue).toMatchObject({ code: 'gpu_lost', subject: A, severity: 'error' });
    expect(issue?.fix).toMatch(/Reboot/);
  });
});

describe('bounds and questions', () => {
  it('keeps 32 cards at most', () => {
    let book = emptyCardBook;
    for (let card = 0; card < 100; card += 1) book = recordRow(book, row(`GPU-${card}`, { busId: null }), 0);
    expect(Object.keys(freshReadings(book, 0, 0))).toHaveLength(32);
    for (let card = 0; card < 100; card += 1) book = recordLostCard(book, `0000:${card}:00.0`);
    expect(lostCardIssues(book)).toHaveLength(32);
  });

  it('knows the only card of a host', () => {
    expect(onlyCard(emptyCardBook)).toBeNull();
    expect(onlyCard(feed(emptyCardBook, [A]))).toBe(BUS[A]);
    expect(onlyCard(feed(emptyCardBook, [A, B]))).toBeNull();
  });
});
