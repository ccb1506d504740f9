import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AttemptOutcome, Claim } from './route-types.js';
import { fabricOf } from './testing/fake-fabric.js';
import { readingOf, requestOf } from './testing/router-fixtures.js';
import { failed, one, select, succeeded, two } from './testing/router-moves.js';

describe('however requests, failures, hosts and declarations interleave', () => {
  it('in-flight equals open claims, and nothing is sent where it cannot be served', () => {
    const event = fc.oneof(
      { weight: 6, arbitrary: fc.constant({ kind: 'take' as const }) },
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constant('end' as const),
          pick: fc.nat(20),
          outcome: fc.constantFrom<AttemptOutcome>(succeeded, failed, { kind: 'busy' }, { kind: 'neutral' }),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('presence' as const),
          target: fc.constantFrom('a', 'b'),
          presence: fc.constantFrom('online' as const, 'late' as const, 'away' as const),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant('declare' as const), state: fc.constantFrom(one, two) }),
      },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(5_000) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('reading' as const),
          target: fc.constantFrom('a', 'b'),
          running: fc.option(fc.nat(10), { nil: null }),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 150, size: 'max' }), fc.nat(1_000), (events, seed) => {
        const fabric = fabricOf(two, { seed });
        const open: Claim[] = [];
        const counts = (): Record<string, number> => {
          const all: Record<string, number> = {};
          for (const { target } of open) all[target] = (all[target] ?? 0) + 1;
          return all;
        };
        for (const each of events) {
          if (each.kind === 'take') {
            const decision = select(fabric);
            if (decision.kind === 'send') {
              const { name, host, maxConcurrent } = decision.deployment;
              expect(fabric.live.host(host)?.presence).toBe('online');
              expect(counts()[name] ?? 0).toBeLessThan(maxConcurrent);
            }
            if (decision.kind === 'send' || decision.kind === 'cloud') {
              const claim = fabric.router.claim(decision, requestOf());
              // Nothing came in between.
              expect(claim).not.toBeNull();
              if (claim) open.push(claim);
            }
          } else if (each.kind === 'end') {
            const [claim] = open.length > 0 ? open.splice(each.pick % open.length, 1) : [];
            claim?.release(each.outcome);
            claim?.release(succeeded);
          } else if (each.kind === 'presence') {
            fabric.live.setHost(`host-of-${each.target}`, { presence: each.presence });
          } else if (each.kind === 'declare') {
            fabric.declared.replace(each.state);
          } else if (each.kind === 'wait') {
            fabric.clock.advance(each.ms);
          } else {
            fabric.live.setReading(each.target, readingOf({ running: each.running }), fabric.clock.nowMs());
          }
          const seen = fabric.router.gauges().targets.filter((gauge) => gauge.inflight > 0);
          expect(Object.fromEntries(seen.map(({ target, inflight: held }) => [target, held]))).toEqual(
            counts(),
          );
        }
      }),
      { numRuns: 120 },
    );
  });
});
