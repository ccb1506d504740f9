import { describe, expect, test } from 'vitest';
import { World } from '../testing/world.js';

const MINUTE_MS = 60_000;

function readyWorld(): World {
  const world = new World({ hasGpu: true });
  Object.assign(world, { hasImage: true, cached: true, cacheIsWhole: true });
  world.run(MINUTE_MS);
  expect(world.state.phase).toBe('ready');
  world.steps.length = 0;
  return world;
}

describe('a replica whose machine slept', () => {
  test('lets no request in until its card and its token are proven again, and is not started anew', () => {
    const world = readyWorld();
    const { id } = world.ours[0] ?? {};
    world.sleep();
    expect(world.state).toMatchObject({ phase: 'warming', detail: expect.stringContaining('slept') });
    world.run(MINUTE_MS);
    expect(world.state.phase).toBe('ready');
    expect(world.ours.map((each) => each.id)).toEqual([id]);
    const kinds = world.steps.map(({ kind }) => kind);
    expect(kinds.slice(0, 4)).toEqual(['inspect', 'check_gpu', 'list_models', 'prove']);
    expect(kinds).not.toContain('stop');
  });

  test('whose card is gone says so, and serves nothing', () => {
    const world = readyWorld();
    world.gpuSeen = false;
    world.sleep();
    world.run(MINUTE_MS);
    expect(world.state.trouble).toMatchObject({ code: 'gpu_not_in_container' });
    expect(world.state.phase).not.toBe('ready');
  });

  test('that was asleep itself stays so', () => {
    const world = new World({ wish: 'stopped' });
    world.run(MINUTE_MS);
    world.sleep();
    world.run(MINUTE_MS);
    expect(world.state.phase).toBe('absent');
  });
});
