import { join } from 'node:path';
import type { ContainerSpec } from '@ai-fabric/agent';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePorts } from '../bench/machine/free-ports.js';
import { declare, KeptHost } from '../harness/kept-containers.js';
import { temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';
import {
  type DockerEngineSimulator,
  startDockerEngine,
} from '../simulators/docker-engine/start-docker-engine.js';
import { vllmProgram } from '../simulators/docker-engine/vllm-program.js';
import type { VllmSimulator } from '../simulators/vllm/start-vllm-simulator.js';

const CARD = 'GPU-5f1d3c8e-7a42-4c1e-9a53-1f0f7d3c2b11';
const IMAGE = 'docker.io/vllm/vllm-openai:v0.32.0';
const NAME = 'ai-fabric-qwen';
const forever = new AbortController().signal;

let folder: ReturnType<typeof temporaryDirectory>;
let engine: DockerEngineSimulator;
let host: KeptHost;
let engines: VllmSimulator[];
let ports: number[];

beforeEach(async () => {
  folder = temporaryDirectory();
  engines = [];
  ports = await freePorts(2);
  const start = vllmProgram({ onEngine: (started) => engines.push(started) });
  engine = await startDockerEngine({
    path: join(folder.path, 'docker.sock'),
    cards: [{ uuid: CARD, name: 'NVIDIA GeForce RTX 4070' }],
    images: [{ reference: IMAGE, start }],
  });
  host = new KeptHost({ socketPath: engine.path, cards: [CARD] });
  await host.start();
});

afterEach(async () => {
  await host.close();
  await engine.close();
  folder.remove();
});

/** A container that somebody made before there was an agent, and that runs. */
async function runs(name: string, servedModel = 'old-name'): Promise<string> {
  const spec: ContainerSpec = {
    ...{ name, labels: {}, image: IMAGE, environment: {}, volumes: [] },
    command: ['--model', 'Qwen/Qwen2.5-7B-Instruct', '--served-model-name', servedModel],
    gpus: { uuids: [CARD] },
    publish: [{ hostAddress: '0.0.0.0', hostPort: ports.shift() ?? 0, containerPort: 8_000 }],
    ...{ shmBytes: 64 * 1024 * 1024, memoryLimitBytes: null, securityLabelDisable: false },
  };
  const { id } = await host.engine.create(spec, forever);
  await host.engine.start(id, forever);
  return id;
}

describe('a container that was there before', () => {
  const old = (): Promise<string> => runs('vllm-armitage');
  const adopting = declare({ servedModel: 'old-name', adopt: 'vllm-armitage' });

  test('is not adopted where the host’s owner forbids it, and runs on', async () => {
    const id = await old();
    host.declare({ ...adopting, extraArguments: ['--trust-remote-code'] });
    await host.reaches('failed');
    expect(host.status()).toMatchObject({ code: 'policy_refused', container: null });
    expect(await host.engine.inspect(id, forever)).toMatchObject({ state: 'running' });
  });

  test('is adopted by name, kept by id, shown with its drift, and let go as it is', async () => {
    const id = await old();
    host.declare(adopting);
    await host.reaches('ready');
    expect(host.status()).toMatchObject({ container: { id, adopted: true } });
    expect(host.status()?.drift).toEqual([
      expect.stringContaining('no key'),
      expect.stringContaining('not on loopback alone'),
      expect.stringContaining('no label'),
    ]);
    expect(host.keepers.engineAddress('qwen')).toMatchObject({ host: '127.0.0.1', key: null });
    host.declare({ ...adopting, contextTokens: 1_024 });
    await host.stop();
    await host.start();
    host.declare({ ...adopting, contextTokens: 1_024 });
    await host.reaches('ready');
    expect(engines).toHaveLength(1);
    host.declare();
    await eventually('it is let go', () => host.keepers.count === 0);
    expect(engine.container('vllm-armitage')).toMatchObject({ id, state: 'running' });
    expect(host.keepers.orphans()).toEqual([]);
  });

  test('is brought back when it dies, and stopped when told', async () => {
    await old();
    host.declare(adopting);
    await host.reaches('ready');
    await engine.kill('vllm-armitage');
    await eventually('it runs again', () => engines.length === 2);
    await host.reaches('ready');
    host.declare({ ...adopting, wish: 'stopped' });
    await host.reaches('absent');
    expect(engine.container('vllm-armitage').state).toBe('exited');
    expect(host.status()?.container).toMatchObject({ startedAtMs: null, adopted: true });
  });

  test('is not taken where it is the container of another deployment', async () => {
    host.declare(declare());
    await host.reaches('ready');
    host.declare(declare(), declare({ deployment: 'other', servedModel: 'qwen', adopt: NAME }));
    await host.reaches('failed', 'other');
    expect(host.status('other')?.code).toBe('name_taken');
    expect(host.status()?.phase).toBe('ready');
  });
});

describe('a container to adopt that cannot be', () => {
  async function ownReplica(): Promise<string> {
    host.declare(declare());
    await host.reaches('ready');
    return engine.container(NAME).id;
  }

  test('takes nothing from the replica that serves, and is named with those that are there', async () => {
    const id = await ownReplica();
    await runs('vllm-armitage', 'qwen');
    const before = host.keepers.engineAddress('qwen');
    host.declare(declare({ adopt: 'vllm-armitge' }));
    await eventually('it is said', () => host.codes().includes('container_not_found'));
    expect(host.keepers.issues()[0]?.detail).toMatch(/vllm-armitge.*not there.*vllm-armitage/);
    expect(host.status()).toMatchObject({ phase: 'ready', container: { id, adopted: false } });
    expect(host.keepers.engineAddress('qwen')).toEqual(before);
    expect(engine.container(NAME).state).toBe('running');

    host.declare(declare({ adopt: 'vllm-armitage' }));
    await eventually('it is adopted', () => host.status()?.container?.adopted === true);
    await host.reaches('ready');
    expect(host.codes()).toEqual([]);
    // What it made itself runs on, stands for nothing any more, and is told.
    await eventually('it is an orphan', () => host.keepers.orphans()[0]?.containerId === id);
    expect(engine.container(NAME).state).toBe('running');
    host.declare(declare());
    await eventually('it serves again', () => host.status()?.container?.id === id);
    await eventually('and is none any more', () => host.keepers.orphans().length === 0);
  });

  test('leaves the declared one that was made before it, also when the declaration changed with it', async () => {
    const id = await ownReplica();
    host.declare(declare({ adopt: 'vllm-armitge', contextTokens: 1_024 }));
    await eventually('it is said', () => host.codes().includes('container_not_found'));
    await host.stop();
    await host.start();
    host.declare(declare({ adopt: 'vllm-armitge', contextTokens: 1_024 }));
    await host.reaches('ready');
    expect(engine.container(NAME)).toMatchObject({ id, state: 'running' });
    host.declare();
    await eventually('it goes with its deployment', () => engine.containers.length === 0);
  });

  test('leaves one that was adopted before it, under another name', async () => {
    const id = await runs('vllm-armitage');
    const adopting = declare({ servedModel: 'old-name', adopt: 'vllm-armitage' });
    host.declare(adopting);
    await host.reaches('ready');
    host.declare({ ...adopting, adopt: 'vllm-armitge' });
    await eventually('it is said', () => host.codes().includes('container_not_found'));
    expect(host.status()).toMatchObject({ phase: 'ready', container: { id, adopted: true } });
    const other = await runs('vllm-armitge');
    await eventually('the one that came is adopted', () => host.status()?.container?.id === other);
    await host.reaches('ready');
    expect(host.codes()).toEqual([]);
    expect(engine.container('vllm-armitage').state).toBe('running');
  });

  test.each([
    ['another deployment’s', 'name_taken'],
    ['not allowed', 'policy_refused'],
  ] as const)('because it is %s, takes nothing from the replica that serves', async (why, code) => {
    const id = await ownReplica();
    if (why === 'not allowed') await runs('postgres', 'qwen');
    const adopt = why === 'not allowed' ? 'postgres' : 'ai-fabric-other';
    host.declare(declare({ adopt }), declare({ deployment: 'other', servedModel: 'qwen' }));
    await eventually('it is said', () => host.codes().includes(code));
    await host.reaches('ready');
    expect(host.status()).toMatchObject({ container: { id, adopted: false } });
  });
});
