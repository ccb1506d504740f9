import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerSpec } from '@ai-fabric/agent';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePorts } from '../bench/machine/free-ports.js';
import { declare, KeptHost } from '../harness/kept-containers.js';
import { temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';
import type { StartProgram } from '../simulators/docker-engine/options.js';
import {
  type DockerEngineSimulator,
  startDockerEngine,
} from '../simulators/docker-engine/start-docker-engine.js';
import { vllmProgram } from '../simulators/docker-engine/vllm-program.js';
import type { VllmSimulator } from '../simulators/vllm/start-vllm-simulator.js';

const CARD = 'GPU-5f1d3c8e-7a42-4c1e-9a53-1f0f7d3c2b11';
const OTHER_CARD = 'GPU-8b2e91d0-1c53-4f60-b7de-9a44c1d20e77';
const IMAGE = 'docker.io/vllm/vllm-openai:v0.32.0';
const NAME = 'ai-fabric-qwen';

let folder: ReturnType<typeof temporaryDirectory>;
let engine: DockerEngineSimulator;
let host: KeptHost;
let inFlight: { count: number };
let cards: string[];
let lastWords: string | null;
let engines: VllmSimulator[];
let foreignPort: number;
let disk: { freeBytes: number; missingBytes: number; cached: boolean };

beforeEach(async () => {
  folder = temporaryDirectory();
  lastWords = null;
  engines = [];
  inFlight = { count: 0 };
  cards = [CARD];
  [foreignPort = 0] = await freePorts(1);
  const start: StartProgram = vllmProgram({
    dies: () => lastWords,
    onEngine: (started) => engines.push(started),
  });
  engine = await startDockerEngine({
    path: join(folder.path, 'docker.sock'),
    cards: [CARD, OTHER_CARD].map((uuid) => ({ uuid, name: 'NVIDIA GeForce RTX 4070' })),
    registry: [
      { reference: IMAGE, start },
      { reference: 'docker.io/vllm/vllm-openai:v0.33.0', start },
    ],
    layerMs: 5,
  });
  disk = { freeBytes: 100e9, missingBytes: 5e9, cached: false };
  host = new KeptHost({
    ...{ socketPath: engine.path, cards, inFlight },
    openStorage: () => ({
      imageBytes: () => Promise.resolve(9e9),
      room: () => Promise.resolve({ freeBytes: disk.freeBytes, virtualDisk: false }),
      weights: () =>
        Promise.resolve({
          ...{ complete: disk.cached, weightBytes: 5e9, freeBytes: disk.freeBytes },
          missingBytes: disk.cached ? 0 : disk.missingBytes,
        }),
    }),
  });
  await host.start();
});

afterEach(async () => {
  await host.close();
  await engine.close();
  folder.remove();
});

const forever = new AbortController().signal;

async function engineHas(image: string): Promise<void> {
  await host.engine.pull(image, { onProgress: () => {} }, forever);
}

/** A container that somebody made before there was an agent. */
function foreign({ name, labels = {} }: { name: string; labels?: Record<string, string> }): ContainerSpec {
  return {
    ...{ name, labels, image: IMAGE },
    command: ['--model', 'Qwen/Qwen2.5-7B-Instruct', '--served-model-name', 'old-name'],
    environment: {},
    gpus: { uuids: [CARD] },
    publish: [{ hostAddress: '0.0.0.0', hostPort: foreignPort, containerPort: 8_000 }],
    volumes: [],
    shmBytes: 64 * 1024 * 1024,
    memoryLimitBytes: null,
    securityLabelDisable: false,
  };
}

async function ready(): Promise<string> {
  host.declare(declare());
  await host.reaches('ready');
  return engine.container(NAME).id;
}

describe('a declared deployment', () => {
  test('is pulled, made, proven, killed, back, changed, recognised after a restart, and gone without a trace', async () => {
    const first = await ready();
    const address = host.keepers.engineAddress('qwen');
    expect(address).toMatchObject({ host: '127.0.0.1', port: host.status()?.port });
    expect(host.status()).toMatchObject({
      container: { id: first, adopted: false },
      drift: [],
      directKey: null,
      maxModelLen: 4_096,
    });

    await engine.kill(NAME);
    await eventually('the crash is seen', () => host.status()?.phase !== 'ready');
    expect(host.keepers.engineAddress('qwen')).toBeNull();
    await host.reaches('ready');
    expect(engine.container(NAME).id).toBe(first);

    inFlight.count = 1;
    host.declare(declare({ image: 'docker.io/vllm/vllm-openai:v0.33.0' }));
    await host.reaches('draining');
    expect(engine.container(NAME).id).toBe(first);
    inFlight.count = 0;
    await host.reaches('ready');
    const second = engine.container(NAME).id;
    expect(second).not.toBe(first);

    const started = engines.length;
    await host.stop();
    await host.start();
    host.declare(declare({ image: 'docker.io/vllm/vllm-openai:v0.33.0' }));
    await host.reaches('ready');
    expect(engine.container(NAME).id).toBe(second);
    expect(engines.length).toBe(started);

    host.declare();
    await eventually('nothing is left', () => engine.containers.length === 0);
  });

  test('has a key that is nowhere but in its environment and in a private file', async () => {
    await ready();
    const key = host.keepers.engineAddress('qwen')?.key ?? '';
    expect(key.length).toBeGreaterThanOrEqual(32);
    expect(engine.container(NAME).environment).toMatchObject({ VLLM_API_KEY: key });
    expect(
      JSON.stringify([host.status(), host.keepers.issues(), engine.container(NAME).wish.argv]),
    ).not.toContain(key);
    const file = join(host.stateDirectory, 'replicas.json');
    expect(readFileSync(file, 'utf8')).toContain(key);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('tells its key in direct reach alone', async () => {
    host.declare(declare({ reach: 'direct' }));
    await host.reaches('ready');
    expect(host.status()?.directKey).toBe(host.keepers.engineAddress('qwen')?.key);
  });

  test('is restarted when a restart is asked for, once', async () => {
    const id = await ready();
    host.declare(declare({ restartCount: 1 }));
    await eventually('it was started again', () => engines.length === 2);
    await host.reaches('ready');
    expect(engine.container(NAME).id).toBe(id);
    await host.stop();
    await host.start();
    host.declare(declare({ restartCount: 1 }));
    await host.reaches('ready');
    expect(engines.length).toBe(2);
  });

  test('is stopped while it is pulled, and pulled again later', async () => {
    host.declare(declare({ wish: 'stopped' }));
    await host.reaches('absent');
    host.declare(declare());
    host.declare(declare({ wish: 'stopped' }));
    await eventually('it is stopped', () => host.status()?.detail === 'Stopped, as declared.');
    expect(engine.containers.filter(({ state }) => state === 'running')).toEqual([]);
    await ready();
  });

  test('loads without the hub from the second start on, and a running one is left alone for it', async () => {
    const first = await ready();
    expect(engine.container(NAME).environment).not.toHaveProperty('HF_HUB_OFFLINE');
    // It has fetched what it loads by now, and a new agent finds that out.
    disk.cached = true;
    await host.stop();
    await host.start();
    host.declare(declare());
    await host.reaches('ready');
    await eventually('it is known', () =>
      readFileSync(join(host.stateDirectory, 'replicas.json'), 'utf8').includes('"complete":true'),
    );
    expect(engine.container(NAME).id).toBe(first);
    await engine.kill(NAME);
    await eventually('it is made anew', () => engine.containers.some(({ id }) => id !== first));
    await host.reaches('ready');
    expect(engine.container(NAME).environment).toMatchObject({ HF_HUB_OFFLINE: '1' });
  });

  test('gives its engine readings to whoever asks', async () => {
    await ready();
    await host.keepers.refreshReadings(2_000);
    expect(host.keepers.readings()).toHaveProperty('qwen');
  });

  test('says what its engine said', async () => {
    await ready();
    const lines: string[] = [];
    const logs = host.keepers.logs('qwen', { follow: false, tailLines: 50 }, new AbortController().signal);
    for await (const { text } of logs ?? []) lines.push(text);
    expect(lines.join('\n')).toContain('vLLM API server version');
    expect(host.keepers.logs('nobody', { follow: false }, new AbortController().signal)).toBeNull();
  });
});

describe('what stands in the way', () => {
  test('of an image that is not there is said with its fix', async () => {
    host.declare(declare({ image: 'docker.io/vllm/nope:1' }));
    await host.reaches('failed');
    expect(host.status()?.code).toMatch(/^(image_not_found|pull_failed)$/);
    expect(host.keepers.issues()[0]?.fix).toBeTruthy();
    await ready();
    expect(host.keepers.issues()).toEqual([]);
  });

  test('of a pull that breaks inside a 200 is tried again', async () => {
    engine.failNextPull({ message: 'unexpected EOF', afterLayers: 1 });
    host.declare(declare());
    await eventually('the failure is told', () => host.codes().includes('pull_failed'));
    await host.reaches('ready');
  });

  test('of a full disk is said', async () => {
    engine.failNextPull({ message: 'write /var/lib/docker/tmp/x: no space left on device' });
    host.declare(declare());
    await eventually('it is told', () => host.codes().includes('disk_full'));
    await host.reaches('ready');
  });

  test('of a disk that has no room is said with the numbers before anything is fetched', async () => {
    disk.freeBytes = 7e9;
    host.declare(declare());
    await host.reaches('failed');
    expect(host.status()).toMatchObject({
      ...{ code: 'disk_full', detail: expect.stringContaining('at least 8.4 GiB for the image') },
      growth: { imageBytes: 22.5e9, freeBytes: 7e9 },
    });
    expect(host.keepers.issues()).toMatchObject([{ code: 'disk_full', severity: 'error' }]);
    expect(await host.engine.findImage(IMAGE, forever)).toBeNull();
    disk.freeBytes = 100e9;
    host.declare(declare({ maxConcurrent: 5 }));
    await host.reaches('ready');
    expect(host.status()).toMatchObject({ growth: null });
    expect(host.keepers.issues()).toEqual([]);
  });

  test('of a disk that has no room for the weights is said before a container is made', async () => {
    await engineHas(IMAGE);
    Object.assign(disk, { freeBytes: 4e9 });
    host.declare(declare());
    await host.reaches('failed');
    expect(host.status()?.detail).toContain('at least 4.7 GiB for the weights');
    expect(engine.containers).toEqual([]);
    disk.cached = true;
    host.declare(declare({ maxConcurrent: 5 }));
    await host.reaches('ready');
  });

  test('of a card that is silently not given is found by looking inside', async () => {
    engine.loseGpus();
    host.declare(declare());
    await eventually('it is told', () => host.codes().includes('gpu_not_in_container'));
    expect(host.status()?.phase).not.toBe('ready');
  });

  test('of an engine that dies while it loads is read from its last words', async () => {
    lastWords = 'huggingface_hub.errors.GatedRepoError: 401 Client Error.';
    host.declare(declare());
    await eventually('it is told', () => host.codes().includes('hf_token_needed'));
    expect(host.keepers.issues()[0]?.detail).toContain('GatedRepoError');
    lastWords = null;
    await host.reaches('ready');
    expect(host.keepers.issues()).toEqual([]);
  });

  test('of weights that looked whole, and did not load without the hub, is mended by asking the hub', async () => {
    disk.cached = true;
    lastWords = 'huggingface_hub.errors.LocalEntryNotFoundError: Cannot find an appropriate cached snapshot';
    host.declare(declare());
    const offline = () => engine.containers[0]?.environment['HF_HUB_OFFLINE'];
    await eventually('it tries without the hub', () => offline() === '1');
    await eventually('it is told', () => host.codes().includes('hub_unreachable'));
    await eventually('it is made anew', () => engine.containers.length > 0 && offline() === undefined);
    lastWords = null;
    await host.reaches('ready');
    const { id } = engine.container(NAME);
    await engine.kill(NAME);
    await eventually('the crash is seen', () => host.status()?.phase !== 'ready');
    await host.reaches('ready');
    expect(engine.container(NAME).id).toBe(id);
  });

  test('of memory that is short steps down to the declared fallback', async () => {
    lastWords = 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.';
    host.declare(declare({ fallbacks: [{ contextTokens: 2_048 }] }));
    await eventually('it is told', () => host.codes().includes('vram_insufficient'));
    lastWords = null;
    await host.reaches('ready');
  });

  test('of memory that is short is remembered with its fallback by an agent that starts anew', async () => {
    lastWords = 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.';
    const declared = declare({ fallbacks: [{ contextTokens: 2_048 }] });
    const madeFrom = () => engine.containers[0]?.wish.labels['io.ai-fabric.spec'];
    host.declare(declared);
    await eventually('it was made', () => madeFrom() !== undefined);
    const first = madeFrom();
    await eventually('it was made anew', () => madeFrom() !== undefined && madeFrom() !== first);
    const second = madeFrom();
    await host.stop();
    lastWords = null;
    await host.start();
    host.declare(declared);
    await host.reaches('ready');
    expect(madeFrom()).toBe(second);
    // What was too much for one card may fit another.
    await host.stop();
    await engine.remove(NAME);
    cards[0] = OTHER_CARD;
    await host.start();
    host.declare(declared);
    await host.reaches('ready');
    expect(madeFrom()).toBe(first);
  });

  test('of an owner that does not allow it is said with the rule, and makes nothing', async () => {
    host.declare(declare({ extraArguments: ['--trust-remote-code'] }));
    await host.reaches('failed');
    expect(host.status()?.code).toBe('policy_refused');
    expect(host.keepers.issues()[0]?.detail).toContain('engine arguments');
    expect(engine.containers).toEqual([]);
  });

  test('of a port that another deployment has is said with its name', async () => {
    await ready();
    const port = host.status()?.port ?? 0;
    host.declare(declare(), declare({ deployment: 'llama', servedModel: 'llama', port }));
    await eventually('it is told', () => host.codes().includes('port_in_use'));
    const issue = host.keepers.issues().find(({ code }) => code === 'port_in_use');
    expect(issue?.detail).toContain(NAME);
    expect(host.status()?.phase).toBe('ready');
  });

  test('of a container engine that goes away leaves what runs, and comes to an end by itself', {
    timeout: 60_000,
  }, async () => {
    const id = await ready();
    await engine.vanish();
    await eventually('it is told', () => host.codes().includes('engine_unreachable'));
    expect(host.status()?.phase).toBe('ready');
    await engine.comeBack();
    await eventually('it is over', () => host.codes().length === 0);
    expect(engine.container(NAME).id).toBe(id);
    expect(engines).toHaveLength(1);
  });
});

describe('what is not ours', () => {
  test('under our name is named and not touched, whatever label it forges', async () => {
    await engineHas(IMAGE);
    const labels = { 'io.ai-fabric.deployment': 'qwen', 'io.ai-fabric.host': 'host-2' };
    const { id } = await host.engine.create(foreign({ name: NAME, labels }), forever);
    await host.engine.start(id, forever);
    host.declare(declare());
    await host.reaches('failed');
    expect(host.status()?.code).toBe('name_taken');
    host.declare(declare({ wish: 'stopped' }));
    host.declare();
    expect(engine.container(NAME)).toMatchObject({ id, state: 'running' });
    await host.engine.remove(id, forever);
    await ready();
  });

  test('ten thousand events of others cost nothing but time', async () => {
    const id = await ready();
    engine.flood(10_000);
    await engine.kill(NAME);
    await eventually('the crash is seen', () => host.status()?.phase !== 'ready');
    await host.reaches('ready');
    expect(engine.container(NAME).id).toBe(id);
  });

  test('and what an agent that was killed looked into its models with is removed by the next one', async () => {
    await ready();
    for (const hostId of ['host-1', 'host-2']) {
      const labels = { 'io.ai-fabric.helper': 'look', 'io.ai-fabric.host': hostId };
      await host.engine.create(foreign({ name: `ai-fabric-look-of-${hostId}`, labels }), forever);
    }
    await host.stop();
    await host.start();
    host.declare(declare());
    const names = () => engine.containers.map(({ name }) => name).sort();
    await eventually('what was left is gone', () => !names().includes('ai-fabric-look-of-host-1'));
    expect(names()).toEqual(['ai-fabric-look-of-host-2', NAME]);
  });

  test('and what nobody declares is reported, and removed only when told', async () => {
    const id = await ready();
    await host.stop();
    await host.start();
    host.declare();
    await eventually('it is reported', () => host.keepers.orphans().length === 1);
    expect(host.keepers.orphans()).toEqual([{ containerId: id, name: NAME, deployment: 'qwen' }]);
    expect(engine.container(NAME).state).toBe('running');
    expect(await host.keepers.removeOrphans(['f'.repeat(64)])).toEqual([
      expect.stringContaining('no orphan'),
    ]);
    expect(await host.keepers.removeOrphans([id])).toEqual([]);
    expect(engine.containers).toEqual([]);
    expect(host.keepers.orphans()).toEqual([]);
  });
});

describe('what somebody does by hand', () => {
  test('is set right: removed, paused, stopped', async () => {
    await ready();
    await engine.remove(NAME);
    await eventually('it is made anew', () => engines.length === 2);
    await host.reaches('ready');
    engine.pause(NAME);
    await eventually('it is made anew', () => engines.length === 3);
    await host.reaches('ready');
    await engine.stop(NAME);
    await eventually('it runs again', () => engines.length === 4);
    await host.reaches('ready');
  });
});

describe('held down', () => {
  const PARK = { action: 'park', drainSeconds: 20 } as const;

  test('a replica that can sleep gives its card back and keeps its engine', async () => {
    host.declare(declare({ parkable: true }));
    await host.reaches('ready');
    await host.keepers.holdDown('owner', PARK);
    expect(host.status()).toMatchObject({ phase: 'parked', detail: expect.stringContaining('owner') });
    host.keepers.release('owner');
    await host.reaches('ready');
    expect(engines).toHaveLength(1);
  });

  test('one that cannot is stopped after its open request, and its container stays', async () => {
    host.declare(declare());
    await host.reaches('ready');
    const container = host.status()?.container?.id;
    inFlight.count = 1;
    const down = host.keepers.holdDown('power', PARK);
    await host.reaches('draining');
    expect(host.keepers.engineAddress('qwen')).toBeNull();
    inFlight.count = 0;
    await down;
    expect(host.status()).toMatchObject({ phase: 'absent', container: { id: container, startedAtMs: null } });
    await host.keepers.holdDown('owner', PARK);
    host.keepers.release('power');
    expect(host.status()?.phase).toBe('absent');
    host.keepers.release('owner');
    await host.reaches('ready');
  });

  test('one that still loads is stopped at once, and one declared meanwhile never starts', async () => {
    host.declare(declare());
    await eventually('its container runs', () => host.status()?.container?.startedAtMs != null);
    await host.keepers.holdDown('owner', PARK);
    expect(host.status()).toMatchObject({ phase: 'absent', container: { startedAtMs: null } });
    host.declare(declare(), declare({ deployment: 'other', servedModel: 'other' }));
    await eventually('it is known not to run', () =>
      Boolean(host.status('other')?.detail?.startsWith('Stopped:')),
    );
    host.keepers.release('owner');
    await host.reaches('ready');
    await host.reaches('ready', 'other');
  });
});

describe('parking', () => {
  test('puts the engine to sleep and wakes it up again, also across a restart of the agent', async () => {
    host.declare(declare({ parkable: true }));
    await host.reaches('ready');
    host.declare(declare({ parkable: true, wish: 'parked' }));
    await host.reaches('parked');
    expect(host.keepers.engineAddress('qwen')).toBeNull();
    await host.stop();
    await host.start();
    host.declare(declare({ parkable: true, wish: 'parked' }));
    await host.reaches('parked');
    host.declare(declare({ parkable: true }));
    await host.reaches('ready');
    expect(engines).toHaveLength(1);
  });
});
