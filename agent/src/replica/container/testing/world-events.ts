import fc from 'fast-check';
import type { Wanted } from '../decide/plan-input.js';
import type { World } from './world.js';

/** What may happen to a replica's world at any moment. */
export type WorldEvent =
  | { kind: 'hand'; what: Parameters<World['byHand']>[0] }
  | { kind: 'engine'; up: boolean }
  | { kind: 'room'; room: boolean }
  | { kind: 'card'; seen: boolean }
  | { kind: 'behaviour'; engine: World['engine'] }
  | { kind: 'pull'; fails: boolean }
  | { kind: 'cache'; cached: boolean; known: boolean | null }
  | { kind: 'disk'; full: boolean }
  | { kind: 'spec'; specHash: string; image: string }
  | { kind: 'wish'; wish: Wanted['wish'] }
  | { kind: 'hold'; held: string | null; wish: Wanted['wish'] }
  | { kind: 'restart' }
  | { kind: 'agent' }
  | { kind: 'slept' }
  | { kind: 'refusal'; refused: boolean }
  | { kind: 'requests'; count: number }
  | { kind: 'foreign leaves' }
  | { kind: 'time'; ms: number }
  | { kind: 'steps'; count: number };

export const worldEvent: fc.Arbitrary<WorldEvent> = fc.oneof(
  fc.record({
    kind: fc.constant('hand' as const),
    what: fc.constantFrom('kill', 'remove', 'pause', 'start', 'take the name'),
  }),
  fc.record({ kind: fc.constant('engine' as const), up: fc.boolean() }),
  fc.record({ kind: fc.constant('room' as const), room: fc.boolean() }),
  fc.record({ kind: fc.constant('card' as const), seen: fc.boolean() }),
  fc.record({
    kind: fc.constant('behaviour' as const),
    engine: fc.constantFrom('serves', 'loads for ever', 'crashes', 'out of memory', 'says nonsense'),
  }),
  fc.record({ kind: fc.constant('pull' as const), fails: fc.boolean() }),
  fc.record({
    kind: fc.constant('cache' as const),
    cached: fc.boolean(),
    known: fc.constantFrom(true, false, null),
  }),
  fc.record({ kind: fc.constant('disk' as const), full: fc.boolean() }),
  fc.record({
    kind: fc.constant('spec' as const),
    specHash: fc.constantFrom('spec-1', 'spec-2', 'spec-2.limits'),
    image: fc.constantFrom('one:1', 'two:2'),
  }),
  fc.record({ kind: fc.constant('wish' as const), wish: fc.constantFrom('running', 'parked', 'stopped') }),
  fc.record({
    kind: fc.constant('hold' as const),
    held: fc.constantFrom(null, 'The card is its owner’s for now.'),
    wish: fc.constantFrom('parked', 'stopped'),
  }),
  fc.record({ kind: fc.constant('restart' as const) }),
  fc.record({ kind: fc.constant('agent' as const) }),
  fc.record({ kind: fc.constant('slept' as const) }),
  fc.record({ kind: fc.constant('refusal' as const), refused: fc.boolean() }),
  fc.record({ kind: fc.constant('requests' as const), count: fc.nat({ max: 3 }) }),
  fc.record({ kind: fc.constant('foreign leaves' as const) }),
  fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(0, 100, 5_000, 120_000, 900_000) }),
  fc.record({ kind: fc.constant('steps' as const), count: fc.nat({ max: 6 }) }),
);

export function happen(world: World, happened: WorldEvent): unknown {
  switch (happened.kind) {
    case 'hand':
      return world.byHand(happened.what);
    case 'engine':
      world.engineUp = happened.up;
      return world.hear();
    case 'room':
      world.room = happened.room;
      return world.room;
    case 'card':
      world.gpuSeen = happened.seen;
      return world.gpuSeen;
    case 'behaviour':
      world.engine = happened.engine;
      return world.engine;
    case 'pull':
      world.pullFails = happened.fails;
      return world.pullFails;
    case 'cache':
      return Object.assign(world, { cached: happened.cached, cacheIsWhole: happened.known });
    case 'disk':
      world.diskIsFull = happened.full;
      return world.diskIsFull;
    case 'spec':
      world.hasImage = false;
      return world.change({ specHash: happened.specHash, image: happened.image });
    case 'wish':
      return world.change({ wish: happened.wish, held: null });
    case 'hold':
      return world.change({ held: happened.held, wish: happened.held === null ? 'running' : happened.wish });
    case 'restart':
      return world.change({ restartCount: world.wanted.restartCount + 1 });
    case 'agent':
      return world.restartAgent();
    case 'slept':
      return world.sleep();
    case 'refusal':
      world.refusal = happened.refused ? { rule: 'images', detail: 'no' } : null;
      return world.change({});
    case 'requests':
      world.inFlight = happened.count;
      return world.inFlight;
    case 'foreign leaves':
      return world.clearForeign();
    case 'time':
      return world.run(happened.ms);
    case 'steps':
      for (let taken = 0; taken < happened.count; taken += 1) world.step(world.nowMs);
      return world.state;
    default:
      return happened satisfies never;
  }
}
