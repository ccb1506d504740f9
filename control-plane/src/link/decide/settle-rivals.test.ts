import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_RIVALS } from './link-limits.js';
import { type RivalDecision, type RivalEvent, type Rivalry, settleRivals } from './settle-rivals.js';

const came = (linkId: number, instanceId = `i${linkId}`): RivalEvent => ({
  type: 'rival_came',
  incumbentId: 1,
  rival: { linkId, instanceId },
});
const spoke: RivalEvent = { type: 'incumbent_spoke' };
const left: RivalEvent = { type: 'incumbent_left' };
const tick: RivalEvent = { type: 'tick' };

/** The last decision of a sequence of events, each with its time. */
function last(...steps: readonly (readonly [number, RivalEvent])[]): RivalDecision {
  let rivalry: Rivalry | null = null;
  let decision = settleRivals(null, tick, 0);
  for (const [nowMs, event] of steps) {
    decision = settleRivals(rivalry, event, nowMs);
    rivalry = decision.rivalry;
  }
  return decision;
}

describe('two agents that claim one host', () => {
  it('have the linked one asked, once for all who come', () => {
    expect(last([0, came(2)])).toMatchObject({ ask: true, winner: null });
    expect(last([0, came(2)], [1, came(3)]).ask).toBe(false);
  });

  it('leave it to the linked one when that lives', () => {
    expect(last([0, came(2)], [1_999, spoke])).toMatchObject({ rivalry: null, winner: null, refused: [2] });
  });

  it('give it to the first newcomer when that is silent for 2 s', () => {
    expect(last([0, came(2)], [1_999, tick])).toMatchObject({ winner: null, refused: [] });
    expect(last([0, came(2)], [500, came(3)], [2_000, tick])).toMatchObject({
      rivalry: null,
      winner: 2,
      refused: [3],
    });
  });

  it('give it to the first newcomer at once when that is gone', () => {
    expect(last([0, came(2)], [1, came(3)], [2, left])).toMatchObject({ winner: 2, refused: [3] });
  });

  it('forget a newcomer that left', () => {
    expect(last([0, came(2)], [1, came(3)], [2, { type: 'rival_left', linkId: 2 }], [3, left])).toMatchObject(
      {
        winner: 3,
        refused: [],
      },
    );
    expect(last([0, came(2)], [1, { type: 'rival_left', linkId: 2 }])).toMatchObject({ rivalry: null });
  });

  it('keep the place of a newcomer that tries again, without a second wait', () => {
    expect(last([0, came(2, 'same')], [1_500, came(3, 'same')])).toMatchObject({
      superseded: [2],
      ask: false,
    });
    expect(last([0, came(2, 'same')], [1, came(4)], [1_500, came(3, 'same')], [2_000, tick])).toMatchObject({
      winner: 3,
      refused: [4],
    });
  });

  it('are few: one too many is refused at once', () => {
    const many = Array.from({ length: MAX_RIVALS }, (_, index) => [0, came(index + 2)] as const);
    expect(last(...many, [1, came(99)])).toMatchObject({ refused: [99], winner: null });
    expect(last(...many, [1, came(99)]).rivalry?.rivals).toHaveLength(MAX_RIVALS);
  });

  it('are nobody’s business when there are none', () => {
    for (const event of [spoke, left, tick, { type: 'rival_left', linkId: 9 } as const]) {
      expect(settleRivals(null, event, 1e9)).toEqual({
        rivalry: null,
        ask: false,
        winner: null,
        refused: [],
        superseded: [],
      });
    }
  });

  it('each end in exactly one way, whatever happens', () => {
    const event = fc.oneof(
      fc.nat(6).map((id) => came(id + 2, `i${id % 3}`)),
      fc.nat(6).map((id): RivalEvent => ({ type: 'rival_left', linkId: id + 2 })),
      fc.constantFrom(spoke, left, tick),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(900), event), { maxLength: 40 }), (steps) => {
        let rivalry: Rivalry | null = null;
        let nowMs = 0;
        const waiting = new Set<number>();
        for (const [waitMs, next] of steps) {
          // A link comes once.
          if (next.type === 'rival_came' && waiting.has(next.rival.linkId)) continue;
          nowMs += waitMs;
          const decision = settleRivals(rivalry, next, nowMs);
          if (next.type === 'rival_came') waiting.add(next.rival.linkId);
          if (next.type === 'rival_left') waiting.delete(next.linkId);
          const ended = [...decision.refused, ...decision.superseded];
          if (decision.winner !== null) ended.push(decision.winner);
          for (const linkId of ended) expect(waiting.delete(linkId)).toBe(true);
          rivalry = decision.rivalry;
          expect(new Set(rivalry?.rivals.map(({ linkId }) => linkId))).toEqual(waiting);
        }
      }),
      { numRuns: 500 },
    );
  });
});
