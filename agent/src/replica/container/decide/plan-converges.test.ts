import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { World } from '../testing/world.js';
import { happen, worldEvent } from '../testing/world-events.js';

const MINUTE_MS = 60_000;

function calm(world: World): void {
  world.clearForeign();
  Object.assign(world, { engineUp: true, room: true, gpuSeen: true, pullFails: false, inFlight: 0 });
  world.diskIsFull = false;
  Object.assign(world, { engine: 'serves', refusal: null });
  world.change({});
  world.run(15 * MINUTE_MS);
}

describe('whatever happened', () => {
  test('it comes to what is declared once nothing stands in its way', () => {
    fc.assert(
      fc.property(fc.array(worldEvent, { maxLength: 30 }), fc.boolean(), (events, parkable) => {
        const world = new World({ parkable, fallbackCount: 2 });
        world.parkingRefusal = parkable ? null : 'not parkable';
        for (const happened of events) happen(world, happened);
        calm(world);
        const { wish, specHash } = world.wanted;
        const own = world.ours;
        if (wish === 'running') {
          expect(world.state).toMatchObject({ phase: 'ready', trouble: null });
          expect(own).toMatchObject([{ run: 'running', specHash, asleep: false }]);
          expect(world.state.restartsDone).toBe(world.wanted.restartCount);
        } else {
          expect(['absent', 'parked']).toContain(world.state.phase);
          expect(own.every(({ run, asleep }) => run !== 'running' || asleep)).toBe(true);
        }
        expect(own.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 150 },
    );
  });

  test('a deployment that is gone leaves nothing of ours', () => {
    fc.assert(
      fc.property(fc.array(worldEvent, { maxLength: 30 }), (events) => {
        const world = new World({ fallbackCount: 1 });
        for (const happened of events) happen(world, happened);
        world.change({ removed: true });
        calm(world);
        expect(world.finished).toBe(true);
        expect(world.ours).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test('an adopted container is never removed, and stopped only when told', () => {
    fc.assert(
      fc.property(fc.array(worldEvent, { maxLength: 30 }), (events) => {
        const world = new World({ adopt: 'vllm-armitage' });
        world.add({ name: 'vllm-armitage', owner: 'foreign', specHash: null });
        for (const happened of events) {
          if (happened.kind !== 'foreign leaves') happen(world, happened);
        }
        expect(world.containers.some(({ name }) => name === 'vllm-armitage')).toBe(true);
        expect(world.kinds).not.toContain('remove');
        expect(world.kinds).not.toContain('create');
      }),
      { numRuns: 100 },
    );
  });
});
