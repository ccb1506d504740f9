import { seededRandom } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import type { RouteDecision } from '../route-types.js';
import { defaultRouterSettings } from '../router-settings.js';
import { replicaOf, replicasOf, requestOf, termsOf } from '../testing/router-fixtures.js';
import { route } from './route.js';

/** With enough to read for any other to be preferred. */
const busy = { decoding: 0, prefilling: 3, backlogTokens: 9_000 };

const told = (decision: RouteDecision): string =>
  decision.kind === 'send'
    ? decision.deployment.name
    : decision.kind === 'wait'
      ? `waits: ${decision.reason}`
      : decision.kind;

describe('a prompt, where only one replica has a slot left and reads another', () => {
  const waiting = (count: number): RouteDecision => {
    const reading = replicaOf('a', { inflight: 3, load: busy });
    const groups = [
      replicasOf(reading, replicaOf('b', { inflight: 4 }), replicaOf('c', { presence: 'away' })),
    ];
    const request = requestOf({ estimatedPromptTokens: 1_000, mayWait: true });
    const terms = termsOf({ waiting: count });
    return route(request, groups, terms, seededRandom(5), defaultRouterSettings.route);
  };

  it('waits in the router, while the next slot may be its own', () => {
    expect([0, 1].map((count) => told(waiting(count)))).toEqual(['waits: paced', 'waits: paced']);
  });

  it('goes there where as many wait as serve: no slot stays empty', () => {
    expect(told(waiting(2))).toBe('a');
  });

  it('waits where another has a slot as well', () => {
    const groups = [
      replicasOf(
        ...['a', 'b'].map((name) => replicaOf(name, { inflight: 3, load: busy })),
        replicaOf('c', { inflight: 4 }),
      ),
    ];
    const request = requestOf({ estimatedPromptTokens: 1_000, mayWait: true });
    const decision = route(
      request,
      groups,
      termsOf({ waiting: 20 }),
      seededRandom(5),
      defaultRouterSettings.route,
    );
    expect(told(decision)).toBe('waits: paced');
  });

  it('does not overtake those who wait', () => {
    const groups = [replicasOf(replicaOf('a', { inflight: 3, load: busy }), replicaOf('b', { inflight: 4 }))];
    const request = requestOf({ estimatedPromptTokens: 1_000, mayWait: true });
    const terms = termsOf({ waiting: 20, isBehind: true });
    const decision = route(request, groups, terms, seededRandom(5), defaultRouterSettings.route);
    expect(told(decision)).toBe('waits: paced');
  });
});
