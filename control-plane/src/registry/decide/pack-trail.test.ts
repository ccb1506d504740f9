import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packTrail, unpackTrail } from './pack-trail.js';

const names: string[] = [];
function numberOf(name: string): number {
  const known = names.indexOf(name);
  return known === -1 ? names.push(name) - 1 : known;
}
const nameOf = (number: number): string => names[number] ?? '?';

const candidate = fc.record({
  target: fc.string(),
  verdict: fc.string(),
  costSeconds: fc.option(fc.integer({ min: 0, max: 400_000 }).map((ms) => ms / 1000)),
});
const round = fc.record(
  {
    reason: fc.string(),
    considered: fc.array(candidate, { maxLength: 32 }),
    others: fc.array(fc.record({ verdict: fc.string(), count: fc.nat(5_000) }), {
      minLength: 1,
      maxLength: 5,
    }),
    failure: fc.option(fc.string()),
  },
  { requiredKeys: ['reason', 'considered', 'failure'] },
);

describe('the trail of a request', () => {
  it('comes back as it was packed, whatever the names are', () => {
    fc.assert(
      fc.property(fc.array(round, { minLength: 2, maxLength: 8 }), (rounds) => {
        expect(unpackTrail(packTrail(rounds, numberOf) ?? '', nameOf)).toEqual(rounds);
      }),
    );
  });

  it('of an earlier program is read without its loads', () => {
    const [reason, a, chosen] = ['least_load', 'a', 'chosen'].map((name) => numberOf(name).toString(36));
    expect(unpackTrail(`${reason}:${a}.${chosen}.1e`, nameOf)).toEqual([
      {
        reason: 'least_load',
        considered: [{ target: 'a', verdict: 'chosen', costSeconds: null }],
        failure: null,
      },
    ]);
  });

  it('is not kept where the row tells it all', () => {
    const only = { target: 'qwen', verdict: 'chosen', costSeconds: 0 };
    expect(packTrail([], numberOf)).toBeNull();
    expect(packTrail([{ reason: 'only_candidate', considered: [only], failure: null }], numberOf)).toBeNull();
    expect(
      packTrail([{ reason: 'only_candidate', considered: [only], failure: 'reset' }], numberOf),
    ).not.toBeNull();
  });

  it('is some bytes for each candidate, and bounded', () => {
    const considered = Array.from({ length: 500 }, (_, index) => {
      return { target: `target-${index}`, verdict: 'host_away', costSeconds: 1 };
    });
    const rounds = Array.from({ length: 20 }, () => ({
      reason: 'no_capacity',
      considered,
      failure: 'reset',
    }));
    expect(packTrail(rounds, (name) => name.length + 10_000)?.length).toBeLessThan(4_000);
    const three = packTrail(
      [{ reason: 'least_cost', considered: considered.slice(0, 3), failure: null }],
      () => 99,
    );
    expect(three?.length).toBeLessThan(40);
  });
});
