import { seededRandom } from '@ai-fabric/shared/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RouteDecision, RouteRequest } from '../route-types.js';
import { defaultRouterSettings } from '../router-settings.js';
import {
  cloudGroupOf,
  cloudOf,
  replicaOf,
  replicasOf,
  requestOf,
  termsOf,
} from '../testing/router-fixtures.js';
import { route } from './route.js';
import { MOST_TOLD } from './tell-considered.js';

type Replicas = ReturnType<typeof replicaOf>[];

const ask = (replicas: Replicas, request: Partial<RouteRequest> = {}): RouteDecision =>
  route(
    requestOf({ estimatedPromptTokens: 10, ...request }),
    [replicasOf(...replicas), cloudGroupOf(cloudOf('openai/cheap'))],
    termsOf(),
    seededRandom(3),
    defaultRouterSettings.route,
  );

const many = (count: number, inflight: (index: number) => number): Replicas =>
  Array.from({ length: count }, (_, index) =>
    replicaOf(`r${index}`, { inflight: inflight(index), slots: 50 }),
  );

const counted = ({ others = [] }: RouteDecision): number => others.reduce((sum, { count }) => sum + count, 0);

describe('what a decision tells of its candidates', () => {
  it('is each of them, in order, where they are few', () => {
    const { considered, others } = ask(many(MOST_TOLD, (index) => index));
    expect(considered.map(({ target }) => target)).toEqual(
      Array.from({ length: MOST_TOLD }, (_, index) => `r${index}`),
    );
    expect(others).toBeUndefined();
  });

  it('is the cheapest, and how many more there were, where they are many', () => {
    const replicas = many(40, (index) => (index % 4 === 0 ? 50 : 40 - index));
    const { considered, others } = ask(replicas);
    expect(considered).toHaveLength(MOST_TOLD);
    expect(considered.map(({ target }) => Number(target.slice(1)))).toEqual(
      Array.from({ length: 40 }, (_, index) => index)
        .filter((index) => index % 4 !== 0)
        .slice(-MOST_TOLD),
    );
    expect(considered.filter(({ verdict }) => verdict === 'chosen')).toHaveLength(1);
    expect(others).toEqual([
      { verdict: 'full', count: 10 },
      { verdict: 'passed_over', count: 14 },
    ]);
  });

  it('counts those in front of a provider that serves, and the provider has its line', () => {
    const replicas = Array.from({ length: 30 }, (_, index) => replicaOf(`r${index}`, { presence: 'away' }));
    const { kind, considered, others } = ask(replicas);
    expect(kind).toBe('cloud');
    expect(considered.at(-1)).toMatchObject({ target: 'openai/cheap', verdict: 'chosen' });
    expect(others).toEqual([{ verdict: 'host_away', count: 31 - MOST_TOLD }]);
  });

  it('leaves nobody out of the count, and the chosen one is told', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ inflight: fc.nat(60), isAway: fc.boolean() }), { minLength: 1, maxLength: 80 }),
        (parts) => {
          const decision = ask(
            parts.map(({ inflight, isAway }, index) =>
              replicaOf(`r${index}`, { inflight, slots: 50, presence: isAway ? 'away' : 'online' }),
            ),
          );
          const lines = decision.considered.length + counted(decision);
          expect(lines).toBe(parts.length + (decision.kind === 'send' ? 0 : 1));
          expect(decision.considered.length).toBeLessThanOrEqual(MOST_TOLD);
          expect(decision.considered.filter(({ verdict }) => verdict === 'chosen')).toHaveLength(1);
        },
      ),
    );
  });
});
