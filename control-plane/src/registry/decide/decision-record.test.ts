import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REQUEST_OUTCOMES, type RequestRow } from '../request-types.js';
import { requestRow } from '../testing/request-rows.js';
import { MAX_RECORD_BYTES, readDecision, writeDecision } from './decision-record.js';

function names() {
  const list: string[] = [];
  return {
    numberOf: (name: string) => (list.includes(name) ? list.indexOf(name) : list.push(name) - 1),
    nameOf: (number: number) => list[number] ?? '?',
  };
}

function roundTrip(row: RequestRow) {
  const buffer = new DataView(new ArrayBuffer(3 + MAX_RECORD_BYTES));
  const known = names();
  const end = writeDecision(buffer, 3, row, known);
  return { bytes: end - 3, read: readDecision(buffer, 3, known) };
}

const name = fc.constantFrom('', 'chat-fast', 'a', 'b', 'least_cost', 'full', 'chosen', 'passed_over');
const cost = fc.option(fc.float({ min: 0, max: 1_000, noNaN: true }));
const considered = fc.record({ target: name, verdict: name, costSeconds: cost });
const roundOf = (most: number) =>
  fc.record({
    reason: name,
    considered: fc.array(considered, { maxLength: most }),
    failure: fc.option(name),
  });
const count = fc.option(fc.nat(2 ** 31));
const rowWith = (rounds: fc.Arbitrary<RequestRow['rounds']>): fc.Arbitrary<RequestRow> =>
  fc.record({
    ...{ endedAtMs: fc.nat(2 ** 41), requestId: fc.constant('r'), key: name, role: name, target: name },
    ...{ host: name, endpoint: name, stream: fc.boolean(), outcome: fc.constantFrom(...REQUEST_OUTCOMES) },
    ...{ status: fc.option(fc.integer({ min: 100, max: 599 })), reason: name, promptTokens: count },
    ...{ completionTokens: count, cachedTokens: count, ttftMs: cost, totalMs: fc.nat(), queueMs: fc.nat() },
    ...{ attempts: fc.nat(255), rounds },
  });

describe('the record of a decision', () => {
  it('gives back what it was given, where that is of the usual size', () => {
    const usual = rowWith(fc.array(roundOf(8), { maxLength: 4 }));
    fc.assert(
      fc.property(usual, (row) => {
        const { read, bytes } = roundTrip(row);
        const { requestId: _, ...rest } = row;
        const { consideredCount, ...same } = read;
        expect(same).toEqual(rest);
        expect(bytes).toBeLessThanOrEqual(MAX_RECORD_BYTES);
        const targets = row.rounds.flatMap((round) => round.considered.map(({ target }) => target));
        const distinct = row.rounds.length === 1 ? targets.length : new Set(targets).size;
        expect(consideredCount).toBe(distinct);
      }),
    );
  });

  it('never takes more than its bound, and then keeps the end', () => {
    const huge = rowWith(fc.array(roundOf(60), { maxLength: 12 }));
    fc.assert(
      fc.property(huge, (row) => {
        const { read, bytes } = roundTrip(row);
        expect(bytes).toBeLessThanOrEqual(MAX_RECORD_BYTES);
        const last = row.rounds.at(-1);
        expect(read.rounds.at(-1)?.reason).toBe(last?.reason);
        expect(read.rounds.at(-1)?.failure).toBe(last?.failure);
      }),
    );
  });

  it('of a thousand candidates keeps sixteen with the chosen one, and counts the rest', () => {
    const candidates = Array.from({ length: 1_000 }, (_, index) => ({
      target: `t${index}`,
      verdict: index === 700 ? 'chosen' : 'passed_over',
      costSeconds: index / 8,
    }));
    const row = requestRow({ rounds: [{ reason: 'least_cost', considered: candidates, failure: null }] });
    const { read, bytes } = roundTrip(row);
    expect(read.consideredCount).toBe(1_000);
    expect(read.rounds[0]?.considered).toHaveLength(16);
    expect(read.rounds[0]?.considered).toContainEqual(candidates[700]);
    expect(bytes).toBeLessThanOrEqual(200);
  });
});
