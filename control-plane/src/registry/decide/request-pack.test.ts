import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REQUEST_OUTCOMES, type RequestRow } from '../request-types.js';
import { RequestPacker, unpackRequests } from './request-pack.js';
import { PACK_ROWS, RequestQueue } from './request-queue.js';

const name = fc.oneof(fc.constantFrom('', 'chat-fast', 'armitage-chat', 'least_cost'), fc.string());
const count = fc.option(fc.nat(2 ** 40));
const ms = fc.double({ min: 0, max: 1e12, noNaN: true, noDefaultInfinity: true });
const considered = fc.record({ target: name, verdict: name, costSeconds: fc.option(ms) });
const round = fc.record(
  {
    reason: name,
    considered: fc.array(considered, { maxLength: 20 }),
    others: fc.array(fc.record({ verdict: name, count: fc.nat(5_000) }), { minLength: 1, maxLength: 5 }),
    failure: fc.option(name),
  },
  { requiredKeys: ['reason', 'considered', 'failure'] },
);
const row: fc.Arbitrary<RequestRow> = fc.record({
  ...{ endedAtMs: ms, requestId: fc.string({ unit: 'grapheme', maxLength: 140 }), key: name, role: name },
  ...{ target: name, host: name, endpoint: name, stream: fc.boolean() },
  ...{ outcome: fc.constantFrom(...REQUEST_OUTCOMES), status: fc.option(fc.integer({ min: 100, max: 599 })) },
  ...{ reason: name, promptTokens: count, completionTokens: count, cachedTokens: count },
  ...{ ttftMs: fc.option(ms), totalMs: ms, queueMs: ms, attempts: fc.nat(9) },
  rounds: fc.array(round, { maxLength: 5 }),
});

function rowOf(requestId: string): RequestRow {
  return {
    ...{ endedAtMs: 0, requestId, key: '', role: '', target: '', host: '', endpoint: '', stream: false },
    ...{ outcome: 'ok', status: 200, reason: '', promptTokens: null, completionTokens: null },
    ...{ cachedTokens: null, ttftMs: null, totalMs: 0, queueMs: 0, attempts: 1, rounds: [] },
  };
}

const idsOf = (packs: ReturnType<RequestQueue['take']>): string[] =>
  packs.flatMap(unpackRequests).map(({ requestId }) => requestId);
const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `r${from + index}`);

describe('a pack of the request log', () => {
  it('gives back the rows that it was given, also across a thread', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 30 }), (rows) => {
        const packer = new RequestPacker(rows.length);
        for (const each of rows) packer.add(each);
        expect(packer.isFull).toBe(true);
        expect(unpackRequests(structuredClone(packer.pack()))).toEqual(rows.map(plain));
      }),
    );
  });
});

describe('rows that wait to be written', () => {
  it('are taken in their order, with those of a pack that is not full', () => {
    const queue = new RequestQueue(10_000);
    for (const id of numbered(0, 2 * PACK_ROWS + 7)) queue.add(rowOf(id));
    expect(queue.rowCount).toBe(2 * PACK_ROWS + 7);
    expect(idsOf(queue.take(1))).toEqual(numbered(0, PACK_ROWS));
    expect(idsOf(queue.take(2))).toEqual(numbered(PACK_ROWS, 2 * PACK_ROWS + 7));
    expect(queue.rowCount).toBe(0);
    expect(queue.take(2)).toEqual([]);
    queue.add(rowOf('later'));
    expect(idsOf(queue.take(2))).toEqual(['later']);
  });

  it('are never more than the bound, and the newest are kept', () => {
    const bound = 4 * PACK_ROWS;
    const queue = new RequestQueue(bound);
    let lost = 0;
    for (const id of numbered(0, 1_000)) {
      lost += queue.add(rowOf(id));
      expect(queue.rowCount).toBeLessThanOrEqual(bound);
    }
    expect(queue.rowCount).toBeGreaterThanOrEqual(bound - PACK_ROWS);
    expect(lost + queue.rowCount).toBe(1_000);
    expect(idsOf(queue.take(100))).toEqual(numbered(lost, 1_000));
  });
});

/** -0 and half a surrogate do not survive, and are in no row. */
function plain(of: RequestRow): RequestRow {
  return { ...of, requestId: Buffer.from(of.requestId).toString() };
}
