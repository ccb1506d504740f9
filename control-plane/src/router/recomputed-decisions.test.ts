import { describe, expect, it } from 'vitest';
import type { RouterGauges } from './gauge-types.js';
import type { Claim, RouteDecision, RouteRequest } from './route-types.js';
import { type FakeFabric, fabricOf } from './testing/fake-fabric.js';
import { deploymentOf, readingOf, requestOf, roleOf, stateOf } from './testing/router-fixtures.js';
import { resolved } from './testing/router-moves.js';

/** What an operator does by hand: `docs/routing.md` has the formulas, `/metrics` the figures. */
function recompute(
  { targets, answers }: RouterGauges,
  target: string,
  promptBytes: number,
  sinceSeconds: number,
): number {
  const { pace, inflight, externalLoad } = targets.find((each) => each.target === target) ?? {};
  if (pace == null || inflight === undefined) throw new Error(`nothing is told of ${target}`);
  const { iterationSeconds: a, perDecodingSeconds: c, perPromptTokenSeconds: p, drift } = pace;
  const { unreadPrompts: m, backlogTokens: W } = pace;
  const [n, e] = [inflight - m, externalLoad ?? 0];
  const u = promptBytes / pace.bytesPerToken;
  const L = answers.find(({ role }) => role === 'chat-fast')?.tokens ?? Number.NaN;
  const step = a + c * (n + e);
  const done = Math.min(Math.max((sinceSeconds - step / 2) / p, 0), 0.9 * W);
  const w = W - done + u;
  const k = Math.ceil(w / Math.max(256, 2048 - n - e));
  const start = (n + m + e > 0 ? step / 2 : 0) + k * step + p * w;
  return drift * (start + 0.05 * L * (a + c * (n + m + e + 1)));
}

const state = stateOf({
  deployments: ['a', 'b', 'c'].map((name) => deploymentOf(name, { maxConcurrent: 16 })),
  roles: [roleOf('chat-fast', ['a', 'b', 'c'])],
});

function ask(fabric: FakeFabric, promptBytes: number, onlyTarget: string | null = null) {
  const hints = { key: 'notes', promptBytes, streams: true, choices: 1 };
  const request: RouteRequest = requestOf({ resolved: resolved(fabric), hints, onlyTarget });
  return { request, decision: fabric.router.select(request) };
}

function send(fabric: FakeFabric, promptBytes: number, target: string): Claim {
  const { request, decision } = ask(fabric, promptBytes, target);
  const claim = decision.kind === 'send' ? fabric.router.claim(decision, request) : null;
  if (claim === null) throw new Error(`${target} took nothing`);
  return claim;
}

const costsOf = ({ considered }: RouteDecision) =>
  considered.map(({ target, costSeconds }) => [target, costSeconds]);

describe('a decision', () => {
  it('can be recomputed from what is told of its targets', () => {
    const fabric = fabricOf(state);
    for (let answer = 0; answer < 30; answer++) {
      for (const [target, paceMs] of [
        ['a', 20],
        ['b', 35],
      ] as const) {
        const claim = send(fabric, 2_000 + 100 * answer, target);
        fabric.clock.advance(200 + 10 * answer);
        claim.answered();
        claim.progressed(48);
        fabric.clock.advance(48 * paceMs);
        claim.release({ kind: 'succeeded', promptTokens: 500 + 25 * answer, completionTokens: 48 });
      }
    }
    send(fabric, 1_000, 'a').answered();
    send(fabric, 3_000, 'a').answered();
    send(fabric, 8_000, 'b').answered();
    fabric.live.setReading('c', readingOf({ running: 3, waiting: 1 }), fabric.clock.nowMs());
    const sentAtMs = fabric.clock.monotonicMs();
    send(fabric, 6_000, 'a');
    fabric.clock.advance(300);
    const sinceSeconds = (fabric.clock.monotonicMs() - sentAtMs) / 1000;

    const { decision } = ask(fabric, 5_000);
    const gauges = fabric.router.gauges();
    expect(gauges.answers).toEqual([{ role: 'chat-fast', tokens: expect.closeTo(48, 0) }]);
    expect(costsOf(decision)).toEqual(
      ['a', 'b', 'c'].map((target) => [
        target,
        expect.closeTo(recompute(gauges, target, 5_000, target === 'a' ? sinceSeconds : 0), 2),
      ]),
    );
  });
});
