import { describe, expect, test } from 'vitest';
import { World } from '../testing/world.js';
import { isCardFree } from './is-card-free.js';
import type { Wanted } from './plan-input.js';

const MINUTE_MS = 60_000;

function ready(wanted: Partial<Wanted> = {}): World {
  const world = new World(wanted);
  world.run(MINUTE_MS);
  world.steps.length = 0;
  return world;
}

describe('a declared replica', () => {
  test('is pulled, made, started, proven, and then ready', () => {
    const world = new World();
    world.run(2_000);
    expect(world.kinds).toEqual([
      ...['probe_engine', 'inspect', 'find_image', 'check_disk', 'pull', 'look_cache', 'check_fit', 'create'],
      ...['start', 'inspect', 'check_gpu', 'list_models', 'prove', 'settle'],
    ]);
    expect(world.state).toMatchObject({ phase: 'ready', trouble: null });
  });

  test('is not pulled where the image is there', () => {
    const world = new World();
    world.hasImage = true;
    world.run(2_000);
    expect(world.kinds).not.toContain('pull');
  });

  test('without a card is not asked for one', () => {
    const world = new World({ hasGpu: false });
    world.gpuSeen = false;
    world.run(2_000);
    expect(world.kinds).not.toContain('check_gpu');
    expect(world.state.phase).toBe('ready');
  });

  test('is looked at each few seconds once it is ready', () => {
    const world = ready();
    world.run(MINUTE_MS);
    const looks = world.kinds.filter((kind) => kind === 'check_health').length;
    expect(looks).toBeGreaterThanOrEqual(9);
    expect(looks).toBeLessThanOrEqual(13);
    expect(world.kinds).toContain('list_models');
  });

  test('has its card looked for again while it is ready', () => {
    const world = ready();
    world.gpuSeen = false;
    world.run(6 * MINUTE_MS);
    expect(world.state.trouble?.code).toBe('gpu_not_in_container');
    expect(world.kinds).toContain('remove');
    world.gpuSeen = true;
    world.run(10 * MINUTE_MS);
    expect(world.state).toMatchObject({ phase: 'ready', trouble: null });
  });
});

describe('after a restart of the agent', () => {
  test('a container that runs is recognised and left running', () => {
    const world = ready();
    const before = { ...world.ours[0] };
    world.restartAgent();
    world.run(1_000);
    expect(world.state.phase).toBe('ready');
    expect(world.kinds).toEqual(['probe_engine', 'inspect', 'check_gpu', 'list_models', 'prove', 'settle']);
    expect(world.ours[0]).toEqual(before);
  });

  test('a container that ended meanwhile is started, and that is no failure', () => {
    const world = ready();
    world.byHand('kill');
    world.restartAgent();
    world.run(1_000);
    expect(world.state).toMatchObject({ phase: 'ready', failures: 0 });
    expect(world.kinds).not.toContain('read_end');
  });

  test('a restart that was asked for before is not done twice', () => {
    const world = ready();
    world.change({ restartCount: 1 });
    world.run(MINUTE_MS);
    world.restartAgent();
    world.steps.length = 0;
    world.run(MINUTE_MS);
    expect(world.kinds).not.toContain('stop');
  });

  test('a container of an earlier declaration is replaced', () => {
    const world = new World({ specHash: 'spec-2' });
    world.hasImage = true;
    world.add({ specHash: 'spec-1' });
    world.run(MINUTE_MS);
    expect(world.ours.map(({ specHash }) => specHash)).toEqual(['spec-2']);
    expect(world.state.phase).toBe('ready');
  });
});

describe('a container that ends', () => {
  test('is told from its log, and started again within two seconds', () => {
    const world = ready();
    const at = world.nowMs;
    world.byHand('kill');
    while (!world.kinds.includes('start')) world.step(at + 10_000);
    expect(world.nowMs - at).toBeLessThanOrEqual(1_000);
    expect(world.kinds).toContain('read_end');
    world.run(MINUTE_MS);
    expect(world.state.phase).toBe('ready');
  });

  test('again and again is a loop, and is tried more and more seldom', () => {
    const world = ready();
    world.engine = 'crashes';
    world.byHand('kill');
    world.run(60 * MINUTE_MS);
    expect(world.state.phase).toBe('crash_looping');
    const starts = world.kinds.filter((kind) => kind === 'start').length;
    expect(starts).toBeGreaterThan(8);
    expect(starts).toBeLessThan(30);
    world.engine = 'serves';
    world.run(6 * MINUTE_MS);
    expect(world.state).toMatchObject({ phase: 'ready', trouble: null });
  });

  test('leaves its failures behind after ten healthy minutes, and not before', () => {
    const world = ready();
    world.byHand('kill');
    world.run(5 * MINUTE_MS);
    expect(world.state.failures).toBe(1);
    world.run(7 * MINUTE_MS);
    expect(world.state.failures).toBe(0);
  });

  test('for want of memory steps down through the fallbacks, once each', () => {
    const world = new World({ fallbackCount: 2 });
    world.engine = 'out of memory';
    world.run(10 * MINUTE_MS);
    expect(world.state.rung).toBe(2);
  });

  test('for want of memory after it was ready keeps its settings', () => {
    const world = ready({ fallbackCount: 2 });
    world.engine = 'out of memory';
    world.byHand('kill');
    world.step(world.nowMs + 1);
    world.step(world.nowMs + 1);
    expect(world.kinds).toContain('read_end');
    expect(world.state.rung).toBe(0);
  });
});

describe('an engine that never gets ready', () => {
  test('is stopped at its deadline and started again later', () => {
    const world = new World({ readyWithinMs: 120_000 });
    world.engine = 'loads for ever';
    world.run(120_400);
    expect(world.state).toMatchObject({ phase: 'failed', trouble: { code: 'load_timeout' } });
    expect(world.ours[0]?.run).toBe('ended');
    world.run(MINUTE_MS);
    expect(world.ours[0]?.run).toBe('running');
  });

  test('because it does not tell whether it sleeps says so, and is stopped at its deadline', () => {
    const world = new World({ parkable: true, readyWithinMs: 120_000 });
    world.tellsSleep = false;
    world.run(MINUTE_MS);
    expect(world.state).toMatchObject({
      phase: 'loading',
      detail: expect.stringContaining('is_sleeping: 404'),
    });
    world.run(61_000);
    expect(world.state.trouble).toMatchObject({
      code: 'load_timeout',
      detail: expect.stringContaining('is_sleeping: 404'),
    });
    expect(world.kinds).toContain('give_up');
  });

  test('is given up when it brings no token', () => {
    const world = new World();
    world.engine = 'says nonsense';
    world.run(MINUTE_MS);
    expect(world.state.trouble?.code).toBe('engine_proof_failed');
    expect(world.state.phase).not.toBe('ready');
  });

  test('that was adopted is not stopped', () => {
    const world = new World({ adopt: 'vllm-armitage', readyWithinMs: 10_000 });
    world.add({ name: 'vllm-armitage', owner: 'foreign', specHash: null });
    world.engine = 'loads for ever';
    world.run(10 * MINUTE_MS);
    expect(world.state.trouble?.code).toBe('load_timeout');
    expect(world.containers[0]?.run).toBe('running');
    expect(world.kinds).not.toContain('stop');
  });
});

describe('a changed declaration', () => {
  test('fetches the new image while the old container serves, drains, and makes it anew', () => {
    const world = ready();
    world.hasImage = false;
    world.inFlight = 2;
    world.change({ specHash: 'spec-2', image: 'vllm/vllm-openai:v0.12.0' });
    while (!world.kinds.includes('pull')) world.step(world.nowMs);
    expect(world.state.phase).toBe('ready');
    world.step(world.nowMs);
    expect(world.state.phase).toBe('draining');
    world.inFlight = 0;
    world.run(MINUTE_MS);
    expect(world.kinds.slice(0, 9)).toEqual([
      ...['inspect', 'find_image', 'check_disk', 'pull', 'drain', 'stop', 'inspect', 'remove', 'inspect'],
    ]);
    expect(world.ours.map(({ specHash }) => specHash)).toEqual(['spec-2']);
    expect(world.state.phase).toBe('ready');
  });

  test('that cannot be pulled leaves the old container serving', () => {
    const world = ready();
    world.hasImage = false;
    world.pullFails = true;
    world.change({ specHash: 'spec-2', image: 'vllm/vllm-openai:nope' });
    world.run(MINUTE_MS);
    expect(world.ours[0]).toMatchObject({ specHash: 'spec-1', run: 'running' });
    expect(world.state).toMatchObject({ phase: 'ready', trouble: { code: 'pull_failed' } });
  });

  test('that the disk has no room for leaves the old container serving', () => {
    const world = ready();
    world.hasImage = false;
    world.diskIsFull = true;
    world.change({ specHash: 'spec-2', image: 'vllm/vllm-openai:v0.12.0' });
    world.run(MINUTE_MS);
    expect(world.kinds).not.toContain('pull');
    expect(world.state).toMatchObject({ phase: 'ready', trouble: { code: 'disk_full' } });
    world.diskIsFull = false;
    world.run(5 * MINUTE_MS);
    expect(world.ours.map(({ specHash }) => specHash)).toEqual(['spec-2']);
    expect(world.state).toMatchObject({ phase: 'ready', trouble: null });
  });

  test('that the owner does not allow changes nothing', () => {
    const world = ready();
    world.refusal = { rule: 'images', detail: 'not allowed' };
    world.change({ specHash: 'spec-2' });
    world.run(MINUTE_MS);
    expect(world.ours[0]).toMatchObject({ specHash: 'spec-1', run: 'running' });
    expect(world.state.phase).toBe('ready');
  });

  test('of its restarts alone restarts the same container', () => {
    const world = new World();
    Object.assign(world, { cached: true });
    world.run(MINUTE_MS);
    world.steps.length = 0;
    const id = world.ours[0]?.id;
    world.nowMs += 1;
    world.change({ restartCount: 1 });
    world.run(MINUTE_MS);
    expect(world.kinds).toContain('stop');
    expect(world.kinds).not.toContain('create');
    expect(world.ours[0]?.id).toBe(id);
    expect(world.state.phase).toBe('ready');
  });

  test('ends a wait that was begun before it', () => {
    const world = new World();
    world.pullFails = true;
    world.run(10 * MINUTE_MS);
    expect(world.state.phase).toBe('failed');
    world.pullFails = false;
    world.change({ specHash: 'spec-2' });
    world.run(1_000);
    expect(world.state.phase).toBe('ready');
  });
});

describe('other limits of the owner of the host', () => {
  test('drain the container and make it anew', () => {
    const world = ready();
    world.inFlight = 1;
    world.change({ specHash: 'spec-1.limits' });
    world.step(world.nowMs);
    world.step(world.nowMs);
    expect(world.state.phase).toBe('draining');
    world.run(MINUTE_MS);
    expect(world.ours.map(({ specHash }) => specHash)).toEqual(['spec-1.limits']);
    expect(world.state.phase).toBe('ready');
  });

  test('that forbid it end it, though it was made under others', () => {
    const world = ready();
    world.refusal = { rule: 'pickle', detail: 'not allowed' };
    world.change({ specHash: 'spec-1.limits' });
    world.run(MINUTE_MS);
    expect(world.ours[0]?.run).toBe('ended');
    expect(world.state.trouble?.code).toBe('policy_refused');
  });
});

describe('the room on the disk', () => {
  test('is looked for before anything is fetched, again and again until somebody made it', () => {
    const world = new World();
    world.diskIsFull = true;
    world.run(10 * MINUTE_MS);
    expect(world.kinds).not.toContain('pull');
    expect(world.kinds.filter((kind) => kind === 'check_disk').length).toBeGreaterThan(5);
    expect(world.state).toMatchObject({ phase: 'failed', trouble: { code: 'disk_full' } });
    world.diskIsFull = false;
    world.run(2 * MINUTE_MS);
    expect(world.state).toMatchObject({ phase: 'ready', trouble: null });
  });

  test('is looked for before weights are fetched, and not for those that are here', () => {
    const world = new World();
    Object.assign(world, { hasImage: true, diskIsFull: true });
    world.run(MINUTE_MS);
    expect(world.kinds).not.toContain('create');
    expect(world.state.trouble?.code).toBe('disk_full');
    world.cached = true;
    world.run(2 * MINUTE_MS);
    expect(world.state.phase).toBe('ready');
  });
});

describe('weights that are whole in the cache', () => {
  const offline = (world: World) => world.ours.map((container) => container.offline);

  test('are known as such once it is ready, for the next start', () => {
    const world = new World();
    world.run(MINUTE_MS);
    expect([offline(world), world.cacheIsWhole]).toEqual([[false], true]);
    const [first] = world.ours;
    world.byHand('kill');
    world.run(MINUTE_MS);
    expect(offline(world)).toEqual([true]);
    expect(world.ours[0]?.id).not.toBe(first?.id);
    const [second] = world.ours;
    for (let times = 0; times < 3; times += 1) {
      world.byHand('kill');
      world.run(5 * MINUTE_MS);
    }
    expect(world.ours[0]?.id).toBe(second?.id);
    expect(world.state.phase).toBe('ready');
  });

  test('and gone by the next start are fetched by a container that may ask the hub', () => {
    const world = new World();
    world.cached = true;
    world.run(MINUTE_MS);
    expect(offline(world)).toEqual([true]);
    Object.assign(world, { cached: false, cacheIsWhole: null });
    world.byHand('kill');
    world.run(MINUTE_MS);
    expect(offline(world)).toEqual([true]);
    // It could not load: the agent knows by now.
    world.cacheIsWhole = false;
    world.byHand('kill');
    world.run(5 * MINUTE_MS);
    expect(world.kinds.filter((kind) => kind === 'create')).toHaveLength(2);
  });

  test('never touch a container that runs', () => {
    const world = new World();
    world.run(MINUTE_MS);
    const [first] = world.ours;
    for (const cached of [false, true, false, true]) {
      Object.assign(world, { cached, cacheIsWhole: cached });
      world.run(10 * MINUTE_MS);
    }
    expect(world.ours).toMatchObject([{ id: first?.id, run: 'running' }]);
    expect(world.kinds.filter((kind) => kind === 'look_cache').length).toBeLessThanOrEqual(2);
  });
});

describe('a deployment that is declared stopped', () => {
  test('drains, stops, and keeps its container', () => {
    const world = ready();
    world.inFlight = 1;
    world.change({ wish: 'stopped' });
    world.run(MINUTE_MS);
    expect(world.kinds.filter((kind) => kind !== 'inspect')).toEqual(['drain', 'stop', 'settle']);
    expect(world.state).toMatchObject({ phase: 'absent', detail: 'Stopped, as declared.' });
    expect(world.ours[0]?.run).toBe('ended');
  });

  test('is stopped again when somebody starts it by hand', () => {
    const world = ready();
    world.change({ wish: 'stopped' });
    world.run(MINUTE_MS);
    world.byHand('start');
    world.run(MINUTE_MS);
    expect(world.ours[0]?.run).toBe('ended');
    expect(world.state.phase).toBe('absent');
  });

  test('and started again while it drains is ready without a restart', () => {
    const world = ready();
    world.inFlight = 1;
    world.change({ wish: 'stopped' });
    world.step(world.nowMs);
    world.state = { ...world.state, phase: 'draining' };
    world.change({ wish: 'running' });
    world.run(MINUTE_MS);
    expect(world.kinds).not.toContain('stop');
    expect(world.state.phase).toBe('ready');
  });

  test('makes nothing where there is nothing', () => {
    const world = new World({ wish: 'stopped' });
    world.run(MINUTE_MS);
    expect(world.containers).toEqual([]);
    expect(world.kinds).toEqual(['probe_engine', 'inspect', 'settle']);
  });
});

describe('a deployment that is gone', () => {
  test('is drained, stopped and removed', () => {
    const world = ready();
    world.inFlight = 1;
    world.change({ removed: true });
    world.run(MINUTE_MS);
    expect(world.finished).toBe(true);
    expect(world.containers).toEqual([]);
    expect(world.kinds.filter((kind) => kind !== 'inspect')).toEqual(['drain', 'stop', 'remove', 'finish']);
  });

  test('lets an adopted container go as it is', () => {
    const world = new World({ adopt: 'vllm-armitage' });
    world.add({ name: 'vllm-armitage', owner: 'foreign', specHash: null });
    world.run(MINUTE_MS);
    expect(world.state.phase).toBe('ready');
    world.change({ removed: true });
    world.run(MINUTE_MS);
    expect(world.finished).toBe(true);
    expect(world.containers[0]?.run).toBe('running');
  });

  test('waits for a container engine that is away', () => {
    const world = ready();
    world.engineUp = false;
    world.change({ removed: true });
    world.run(MINUTE_MS);
    expect(world.finished).toBe(false);
    world.engineUp = true;
    world.run(MINUTE_MS);
    expect(world.containers).toEqual([]);
  });
});

describe('a foreign container', () => {
  test('under our name is named and not touched', () => {
    const world = new World();
    world.add({ owner: 'foreign', specHash: null });
    world.run(10 * MINUTE_MS);
    expect(world.state).toMatchObject({ phase: 'failed', trouble: { code: 'name_taken' } });
    expect(world.containers[0]?.run).toBe('running');
    world.clearForeign();
    world.run(MINUTE_MS);
    expect(world.state.phase).toBe('ready');
  });

  test('is not touched by a deployment that is stopped or gone', () => {
    for (const change of [{ wish: 'stopped' as const }, { removed: true }]) {
      const world = new World(change);
      world.add({ owner: 'foreign', specHash: null });
      world.run(MINUTE_MS);
      expect(world.containers).toHaveLength(1);
    }
  });

  test('that is to be adopted is kept by its id, started and stopped when told', () => {
    const world = new World({ adopt: 'vllm-armitage' });
    const { id } = world.add({ name: 'vllm-armitage', owner: 'foreign', specHash: null });
    world.run(MINUTE_MS);
    expect(world.adoptedId).toBe(id);
    expect(world.state.phase).toBe('ready');
    world.change({ specHash: 'spec-9' });
    world.run(MINUTE_MS);
    expect(world.kinds).not.toContain('stop');
    world.change({ wish: 'stopped' });
    world.run(MINUTE_MS);
    expect(world.containers[0]).toMatchObject({ id, run: 'ended' });
  });

  test('that the host’s owner does not let be adopted is not, and is left alone', () => {
    const world = new World({ adopt: 'vllm-armitage' });
    world.refusal = { rule: 'adopt', detail: 'not among: ours-*' };
    world.add({ name: 'vllm-armitage', owner: 'foreign', specHash: null });
    world.run(MINUTE_MS);
    expect(world.state).toMatchObject({ phase: 'failed', trouble: { code: 'policy_refused' } });
    expect([world.adoptedId, world.containers[0]?.run]).toEqual([null, 'running']);
  });

  test('that is to be adopted and is not there takes nothing from the one that serves', () => {
    const world = ready();
    const before = world.containers.map(({ id }) => id);
    const taken = world.kinds.length;
    world.change({ adopt: 'vllm-armitge', specHash: 'spec-9' });
    world.run(10 * MINUTE_MS);
    expect(world.state.phase).toBe('ready');
    world.byHand('kill');
    world.run(MINUTE_MS);
    expect(world.state.phase).toBe('ready');
    expect(world.containers.map(({ id }) => id)).toEqual(before);
    for (const kind of ['stop', 'remove', 'create']) expect(world.kinds.slice(taken)).not.toContain(kind);
    world.add({ name: 'vllm-armitge', owner: 'foreign', specHash: null });
    world.hear();
    world.run(MINUTE_MS);
    expect(world.state).toMatchObject({ phase: 'ready', seen: { name: 'vllm-armitge', adopted: true } });
  });

  test('that stands in for another is neither made anew nor kept for ever', () => {
    const world = ready();
    world.change({ adopt: 'vllm-armitge' });
    world.byHand('pause');
    world.run(MINUTE_MS);
    expect(world.state).toMatchObject({ phase: 'failed', trouble: { code: 'engine_unreachable' } });
    expect(world.containers).toHaveLength(1);
    world.change({ removed: true });
    world.run(MINUTE_MS);
    expect(world.containers).toEqual([]);
  });

  test.each([
    ['ours', /made anew by itself/],
    ['adopted', /docker restart vllm-armitage/],
  ] as const)('that lost its card is mended as its owner can: %s', (whose, fix) => {
    const adopt = whose === 'adopted' ? 'vllm-armitage' : null;
    const world = new World({ adopt });
    if (adopt !== null) world.add({ name: adopt, owner: 'foreign', specHash: null });
    world.gpuSeen = false;
    world.run(MINUTE_MS);
    const gaveUp = world.steps.find(({ kind }) => kind === 'give_up');
    expect(gaveUp).toMatchObject({ code: 'gpu_not_in_container', fix: expect.stringMatching(fix) });
  });

  test('that is to be adopted and is not there is waited for', () => {
    const world = new World({ adopt: 'vllm-armitage' });
    world.run(MINUTE_MS);
    expect(world.state.phase).toBe('failed');
    world.add({ name: 'vllm-armitage', owner: 'foreign', specHash: null });
    world.hear();
    world.run(MINUTE_MS);
    expect(world.state.phase).toBe('ready');
  });
});

describe('the container engine', () => {
  test('that goes away leaves a ready replica ready', () => {
    const world = ready();
    world.engineUp = false;
    world.hear();
    world.run(5 * MINUTE_MS);
    expect(world.state).toMatchObject({ phase: 'ready', engineTrouble: { code: 'engine_unreachable' } });
    world.engineUp = true;
    world.run(MINUTE_MS);
    expect(world.state).toMatchObject({ phase: 'ready', engineTrouble: null });
    expect(world.kinds).not.toContain('start');
  });

  test('that is not there is looked for until it is', () => {
    const world = new World();
    world.engineUp = false;
    world.run(MINUTE_MS);
    expect(world.state.phase).toBe('failed');
    expect(world.kinds.length).toBeLessThan(20);
    world.engineUp = true;
    world.run(10_000);
    expect(world.state.phase).toBe('ready');
  });
});

describe('a card without room', () => {
  test('keeps the container from being made, and is looked at again', () => {
    const world = new World();
    world.room = false;
    world.run(MINUTE_MS);
    expect(world.state.trouble?.code).toBe('vram_insufficient');
    expect(world.containers).toEqual([]);
    world.room = true;
    world.run(20_000);
    expect(world.state).toMatchObject({ phase: 'ready', trouble: null });
  });
});

describe('parking', () => {
  const parkable = { parkable: true } as const;
  function parked(): World {
    const world = new World(parkable);
    world.parkingRefusal = null;
    world.run(MINUTE_MS);
    world.change({ wish: 'parked' });
    world.run(MINUTE_MS);
    return world;
  }

  test('puts a proven engine to sleep, and wakes it with a new proof', () => {
    const world = parked();
    expect(world.state.phase).toBe('parked');
    expect(world.ours[0]).toMatchObject({ run: 'running', asleep: true });
    world.steps.length = 0;
    world.change({ wish: 'running' });
    world.run(MINUTE_MS);
    expect(world.kinds.slice(0, 4)).toEqual(['inspect', 'unpark', 'prove', 'settle']);
    expect(world.state.phase).toBe('ready');
  });

  test('is recognised after a restart of the agent', () => {
    const world = parked();
    world.restartAgent();
    world.steps.length = 0;
    world.run(MINUTE_MS);
    expect(world.state.phase).toBe('parked');
    expect(world.kinds).not.toContain('park');
  });

  test('is not undone because main memory is short while it sleeps', () => {
    const world = parked();
    world.parkingRefusal = 'main memory is short';
    world.hear();
    world.run(MINUTE_MS);
    expect(world.state.phase).toBe('parked');
  });

  test('that is refused stops the container instead, and says why', () => {
    const world = ready();
    world.change({ wish: 'parked' });
    world.run(MINUTE_MS);
    expect(world.ours[0]?.run).toBe('ended');
    expect(world.state).toMatchObject({
      phase: 'absent',
      detail: expect.stringContaining('not declared parkable'),
    });
  });
});

describe('held down', () => {
  const held = 'The card is its owner’s for now.';
  const heldParked = { wish: 'parked', held } as const;
  const heldStopped = { wish: 'stopped', held } as const;

  function serving(): World {
    const world = new World({ parkable: true });
    world.parkingRefusal = null;
    world.run(MINUTE_MS);
    world.steps.length = 0;
    return world;
  }

  test('an engine that can sleep is put to sleep at once, and is ready again after it', () => {
    const world = serving();
    world.change(heldParked);
    world.run(0);
    expect(world.kinds).toEqual(['inspect', 'park', 'settle']);
    expect(world.state).toMatchObject({ phase: 'parked', detail: expect.stringContaining(held) });
    expect(isCardFree(world.state, 'wait_until')).toBe(true);
    world.change({ wish: 'running', held: null });
    world.run(MINUTE_MS);
    expect(world.state.phase).toBe('ready');
  });

  test('open requests are waited for first', () => {
    const world = serving();
    world.inFlight = 1;
    world.change(heldParked);
    world.run(0);
    expect(world.kinds).toEqual(['inspect', 'drain', 'park', 'settle']);
  });

  test('one that still loads is stopped: nobody waits until it could sleep', () => {
    const world = new World({ parkable: true });
    world.parkingRefusal = null;
    world.engine = 'loads for ever';
    world.run(MINUTE_MS);
    world.tellsSleep = false;
    world.steps.length = 0;
    const atMs = world.nowMs;
    world.change(heldParked);
    world.run(0);
    expect(world.kinds).toEqual(['inspect', 'check_asleep', 'stop', 'inspect', 'settle']);
    expect(world.nowMs).toBe(atMs);
    expect(world.ours[0]?.run).toBe('ended');
  });

  test('one that cannot sleep is stopped, its container stays, and it is started again after it', () => {
    const world = ready();
    world.change(heldParked);
    world.run(0);
    expect(world.ours).toMatchObject([{ run: 'ended' }]);
    expect(world.state).toMatchObject({ phase: 'absent', detail: `Stopped: ${held}` });
    world.run(60 * MINUTE_MS);
    expect(world.kinds).not.toContain('start');
    expect(world.kinds).not.toContain('remove');
    world.change({ wish: 'running', held: null });
    world.run(MINUTE_MS);
    expect(world.state.phase).toBe('ready');
  });

  test('a sleeping one is let sleep, also after a restart of the agent', () => {
    const world = serving();
    world.change(heldParked);
    world.run(MINUTE_MS);
    world.restartAgent();
    world.steps.length = 0;
    world.run(MINUTE_MS);
    expect(world.state.phase).toBe('parked');
    expect(world.kinds).not.toContain('stop');
    expect(world.kinds).not.toContain('unpark');
  });

  test('a sleeping one that has to be stopped is stopped', () => {
    const world = serving();
    world.change(heldParked);
    world.run(MINUTE_MS);
    world.change(heldStopped);
    world.run(MINUTE_MS);
    expect(world.ours[0]?.run).toBe('ended');
  });

  test('nothing is fetched or made for what is not there yet', () => {
    const world = new World(heldStopped);
    world.run(MINUTE_MS);
    expect(world.kinds).toEqual(['probe_engine', 'inspect', 'settle']);
  });

  test('an adopted container is stopped, and started again', () => {
    const world = new World({ adopt: 'vllm-armitage' });
    world.add({ name: 'vllm-armitage', owner: 'foreign', specHash: null });
    world.run(MINUTE_MS);
    world.change(heldStopped);
    world.run(MINUTE_MS);
    expect(world.containers[0]?.run).toBe('ended');
    world.change({ wish: 'running', held: null });
    world.run(MINUTE_MS);
    expect(world.state.phase).toBe('ready');
  });

  test('its card is not free while a step may still take it', () => {
    const world = ready();
    expect(isCardFree(world.state, 'wait_until')).toBe(false);
    world.change(heldStopped);
    expect(isCardFree(world.state, 'wait_until')).toBe(false);
    expect(isCardFree({ ...world.state, stale: false }, 'stop')).toBe(false);
    world.run(0);
    expect(isCardFree(world.state, 'start')).toBe(false);
    expect(isCardFree(world.state, 'wait_until')).toBe(true);
  });

  test('what a container engine that is away never showed is not waited for', () => {
    const world = new World(heldStopped);
    expect(isCardFree(world.state, 'wait_until')).toBe(false);
    world.engineUp = false;
    world.run(MINUTE_MS);
    expect(isCardFree(world.state, 'wait_until')).toBe(true);
    const other = ready();
    other.engineUp = false;
    other.change(heldStopped);
    other.run(MINUTE_MS);
    expect(isCardFree(other.state, 'wait_until')).toBe(false);
  });
});

describe('what somebody does by hand', () => {
  test.each(['kill', 'remove', 'pause'] as const)('%s is set right', (what) => {
    const world = ready();
    world.byHand(what);
    world.run(MINUTE_MS);
    expect(world.state.phase).toBe('ready');
    expect(world.ours).toHaveLength(1);
  });
});
