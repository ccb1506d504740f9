import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ContainerEngine,
  ContainerEngineError,
  type ContainerEvent,
  type ContainerSpec,
  type LogLine,
  openContainerEngine,
  type PullProgress,
} from '@ai-fabric/agent';
import { systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../harness/temporary-directory.js';
import { eventually } from '../common/eventually.js';
import { enginePath } from './engine-path.js';
import type { DockerEngineOptions } from './options.js';
import { type DockerEngineSimulator, startDockerEngine } from './start-docker-engine.js';
import { vllmProgram } from './vllm-program.js';

const CARD = { uuid: 'GPU-11111111-2222-3333-4444-555555555555', name: 'NVIDIA GeForce RTX 4070' };
const OTHER = { uuid: 'GPU-99999999-2222-3333-4444-555555555555', name: 'NVIDIA GeForce RTX 2080' };
const IMAGE = 'docker.io/vllm/vllm-openai:v0.32.0';

const forever = new AbortController().signal;
let folder: TemporaryDirectory;
let path: string;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  folder = temporaryDirectory();
  path = enginePath(folder.path);
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  folder.remove();
});

async function simulator(options: Partial<DockerEngineOptions> = {}): Promise<DockerEngineSimulator> {
  const image = { reference: IMAGE, start: vllmProgram() };
  const started = await startDockerEngine({
    path,
    cards: [CARD, OTHER],
    images: [image],
    registry: [image],
    ...options,
  });
  closing.push(() => started.close());
  return started;
}

function client(platform: string = process.platform): ContainerEngine {
  const engine = openContainerEngine({
    endpoints: [path],
    platform,
    clock: systemClock(),
    log: pino({ level: 'silent' }),
    cdiFolders: [folder.path],
  });
  closing.push(() => engine.close());
  return engine;
}

function spec(changed: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    name: 'ai-fabric-chat',
    image: 'vllm/vllm-openai:v0.32.0',
    command: ['--model', 'Qwen/Qwen2.5-7B', '--served-model-name', 'chat'],
    environment: { VLLM_API_KEY: 'the key' },
    labels: { 'io.ai-fabric.deployment': 'chat' },
    gpus: { uuids: [CARD.uuid] },
    publish: [],
    volumes: [{ volume: 'ai-fabric-huggingface', path: '/root/.cache/huggingface' }],
    shmBytes: 1 << 30,
    memoryLimitBytes: null,
    securityLabelDisable: false,
    ...changed,
  };
}

/** The container with no program in it: nothing has to listen anywhere. */
const still = { images: [{ reference: IMAGE }], registry: [{ reference: IMAGE }] };

function failure(promise: Promise<unknown>): Promise<ContainerEngineError> {
  return promise.then(
    () => {
      throw new Error('it came through');
    },
    (error: unknown) => {
      if (error instanceof ContainerEngineError) return error;
      throw error;
    },
  );
}

describe('looking for the engine', () => {
  it.each([
    [{}, { flavour: 'docker', version: '28.1.1', apiVersion: '1.47', rootless: false, desktop: false }],
    [{ desktop: true }, { flavour: 'docker', desktop: true }],
    [
      { flavour: 'podman', version: '4.3.1', rootless: true },
      { flavour: 'podman', version: '4.3.1', rootless: true },
    ],
  ] as const)('tells what it is: %j', async (options, info) => {
    await simulator(options);
    expect(await client().probe(forever)).toMatchObject({
      reachable: true,
      info: { ...info, endpoint: path },
    });
  });

  it.each([
    ['linux', 'engine_unreachable'],
    ['win32', 'sign_in_needed'],
  ])('says what its absence means on %s', async (platform, code) => {
    expect(await client(platform).probe(forever)).toMatchObject({ reachable: false, code });
  });

  it('says that an old one cannot be used', async () => {
    await simulator({ version: '18.9', apiVersion: '1.39' });
    const probe = await client().probe(forever);
    expect(probe).toMatchObject({ reachable: false, code: 'engine_too_old' });
  });

  it('takes no other server for an engine', async () => {
    const engine = await simulator();
    engine.setMood('garbage');
    expect(await client().probe(forever)).toMatchObject({ reachable: false, code: 'engine_unreachable' });
  });

  it('finds it again after it was away', async () => {
    const engine = await simulator(still);
    const asked = client();
    await asked.list(forever);
    await engine.vanish();
    expect((await failure(asked.list(forever))).code).toBe('unreachable');
    await engine.comeBack();
    expect(await asked.list(forever)).toEqual([]);
  });
});

describe('a call', () => {
  it('ends with its signal', async () => {
    const engine = await simulator();
    const asked = client();
    await asked.list(forever);
    engine.setMood('hangs');
    const giveUp = new AbortController();
    const listing = failure(asked.list(giveUp.signal));
    await eventually('it is under way', () => engine.requests.at(-1) === 'GET /containers/json');
    giveUp.abort();
    expect((await listing).code).toBe('aborted');
  });

  it('ends when the client is closed', async () => {
    const engine = await simulator();
    const asked = client();
    await asked.list(forever);
    engine.setMood('hangs');
    const listing = failure(asked.list(forever));
    await eventually('it is under way', () => engine.requests.at(-1) === 'GET /containers/json');
    await asked.close();
    expect((await listing).code).toBe('aborted');
    expect((await failure(asked.list(forever))).code).toBe('aborted');
  });
});

describe('pulling', () => {
  const pulled = { images: [], registry: [{ reference: IMAGE }] };

  it('sums the bytes of all layers, and ends with the image', async () => {
    await simulator(pulled);
    const asked = client();
    expect(await asked.findImage('vllm/vllm-openai:v0.32.0', forever)).toBeNull();
    const seen: PullProgress[] = [];
    const image = await asked.pull(
      'vllm/vllm-openai:v0.32.0',
      { onProgress: (progress) => seen.push(progress) },
      forever,
    );
    expect(image.digests[0]).toMatch(/^docker\.io\/vllm\/vllm-openai@sha256:/);
    expect(seen.at(-1)).toMatchObject({ doneBytes: 600e6, totalBytes: 600e6, layersDone: 3, layersKnown: 3 });
    const done = seen.map(({ doneBytes }) => doneBytes ?? 0);
    expect(done).toEqual([...done].sort((one, other) => one - other));
    expect(await asked.findImage(`vllm/vllm-openai@${image.digests[0]?.split('@')[1]}`, forever)).toEqual(
      image,
    );
  });

  it('sends credentials, and only when it has them', async () => {
    const engine = await simulator(pulled);
    const asked = client();
    await asked.pull(IMAGE, { onProgress: () => {} }, forever);
    await asked.pull(IMAGE, { auth: { username: 'me', password: 'secret' }, onProgress: () => {} }, forever);
    expect(engine.pullCredentials).toEqual([null, '{"username":"me","password":"secret"}']);
  });

  it.each([
    ['unauthorized: authentication required', 'unauthorized'],
    ['toomanyrequests: You have reached your pull rate limit', 'pull_failed'],
    [
      'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
      'registry_unreachable',
    ],
    ['write /var/lib/docker/tmp/GetImageBlob123: no space left on device', 'disk_full'],
    ['unexpected EOF', 'pull_failed'],
  ])('takes "%s" inside a stream for a failure', async (message, code) => {
    const engine = await simulator(pulled);
    engine.failNextPull({ message, afterLayers: 1 });
    const error = await failure(client().pull(IMAGE, { onProgress: () => {} }, forever));
    expect(error).toMatchObject({ code, status: 200, detail: message });
  });

  it('says that the registry has no such image', async () => {
    await simulator(pulled);
    const error = await failure(client().pull('vllm/vllm-openai:nope', { onProgress: () => {} }, forever));
    expect(error.code).toBe('image_not_found');
  });

  it('can be given up half way', async () => {
    await simulator({ ...pulled, layerMs: 60_000 });
    const giveUp = new AbortController();
    const pull = client().pull(IMAGE, { onProgress: () => giveUp.abort() }, giveUp.signal);
    expect((await failure(pull)).code).toBe('aborted');
  });

  it('fails when the engine goes away', async () => {
    const engine = await simulator({ ...pulled, layerMs: 60_000 });
    const pull = client().pull(IMAGE, { onProgress: () => void engine.vanish() }, forever);
    expect((await failure(pull)).code).toBe('unreachable');
  });
});

describe('a container', () => {
  it('is made, started, seen, stopped and removed', async () => {
    const engine = await simulator(still);
    const asked = client();
    await asked.ensureVolume('ai-fabric-huggingface', { cache: 'yes' }, forever);
    const { id } = await asked.create(
      spec({ publish: [{ hostAddress: '127.0.0.1', hostPort: 8123, containerPort: 8000 }] }),
      forever,
    );
    expect(await asked.inspect(id, forever)).toMatchObject({
      state: 'created',
      exitCode: null,
      startedAtMs: null,
    });
    await asked.start(id, forever);
    await asked.start(id, forever);
    expect(await asked.inspect('ai-fabric-chat', forever)).toMatchObject({
      id,
      name: 'ai-fabric-chat',
      state: 'running',
      labels: { 'io.ai-fabric.deployment': 'chat' },
      ports: [{ hostAddress: '127.0.0.1', hostPort: 8123, containerPort: 8000 }],
      environmentNames: ['VLLM_API_KEY'],
      mounts: [{ kind: 'volume', source: 'ai-fabric-huggingface', path: '/root/.cache/huggingface' }],
      restartPolicy: 'no',
      gpus: [CARD.uuid],
    });
    expect(await asked.list(forever)).toMatchObject([{ id, name: 'ai-fabric-chat', state: 'running' }]);
    expect((await failure(asked.removeVolume('ai-fabric-huggingface', forever))).code).toBe('conflict');
    await asked.stop(id, 5, forever);
    await asked.stop(id, 5, forever);
    expect(await asked.inspect(id, forever)).toMatchObject({ state: 'exited', exitCode: 143 });
    await asked.remove(id, forever);
    await asked.remove(id, forever);
    expect(await asked.inspect(id, forever)).toBeNull();
    await asked.removeVolume('ai-fabric-huggingface', forever);
    expect(engine.volumes).toEqual([]);
  });

  it('answers on its port while it runs', async () => {
    await simulator();
    const asked = client();
    const hostPort = await freePort();
    const { id } = await asked.create(
      spec({ publish: [{ hostAddress: '127.0.0.1', hostPort, containerPort: 8000 }] }),
      forever,
    );
    await asked.start(id, forever);
    const url = `http://127.0.0.1:${hostPort}/v1/models`;
    expect((await fetch(url)).status).toBe(401);
    const models = await (await fetch(url, { headers: { authorization: 'Bearer the key' } })).text();
    expect(models).toContain('"chat"');
    await asked.stop(id, 5, forever);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('tells what stands in its way', async () => {
    const engine = await simulator(still);
    const asked = client();
    const publish = [{ hostAddress: '127.0.0.1', hostPort: 8124, containerPort: 8000 }];
    expect((await failure(asked.create(spec({ image: 'nope:1' }), forever))).code).toBe('image_not_found');
    const first = await asked.create(spec({ publish }), forever);
    expect((await failure(asked.create(spec(), forever))).code).toBe('name_taken');
    await asked.start(first.id, forever);
    const second = await asked.create(spec({ name: 'ai-fabric-other', publish }), forever);
    expect((await failure(asked.start(second.id, forever))).code).toBe('port_in_use');
    expect((await failure(asked.create(spec({ name: '../x' }), forever))).code).toBe('bad_request');
    expect((await failure(asked.start('0'.repeat(64), forever))).code).toBe('not_found');
    const stranger = await asked.create(
      spec({ name: 'ai-fabric-third', gpus: { uuids: ['GPU-none'] } }),
      forever,
    );
    expect((await failure(asked.start(stranger.id, forever))).code).toBe('gpu_unavailable');
    engine.failNextStart(
      'nvidia-container-cli: initialization error: nvml error: driver/library version mismatch',
    );
    expect((await failure(asked.start(second.id, forever))).code).toBe('driver_mismatch');
  });
});

describe('the card of a container', () => {
  it.each([
    ['Docker', { flavour: 'docker' }],
    ['Podman 5.4', { flavour: 'podman', version: '5.4.2' }],
    ['Podman 4.3', { flavour: 'podman', version: '4.3.1' }],
  ] as const)('is the one that was asked for, by UUID: %s', async (_name, options) => {
    await simulator({ ...still, ...options });
    const asked = client();
    const { id } = await asked.create(spec({ gpus: { uuids: [OTHER.uuid] } }), forever);
    await asked.start(id, forever);
    const { exitCode, output } = await asked.exec(id, ['nvidia-smi', '-L'], forever);
    expect(exitCode).toBe(0);
    expect(output).toBe(`GPU 0: ${OTHER.name} (UUID: ${OTHER.uuid})\n`);
  });

  it.each(['docker', 'podman'] as const)(
    'is missed by a look inside when it was lost without a word: %s',
    async (flavour) => {
      const engine = await simulator({ ...still, flavour });
      engine.loseGpus();
      const asked = client();
      const { id } = await asked.create(spec(), forever);
      await asked.start(id, forever);
      expect((await asked.exec(id, ['nvidia-smi', '-L'], forever)).exitCode).toBe(127);
    },
  );

  it('is not looked for in one that does not run', async () => {
    await simulator(still);
    const asked = client();
    const { id } = await asked.create(spec(), forever);
    expect((await failure(asked.exec(id, ['nvidia-smi', '-L'], forever))).code).toBe('conflict');
  });

  it('needs a CDI spec that knows it', async () => {
    await simulator({ ...still, flavour: 'podman', version: '4.3.1' });
    const asked = client();
    const { id } = await asked.create(spec({ gpus: { uuids: ['GPU-none'] } }), forever);
    expect((await failure(asked.start(id, forever))).code).toBe('cdi_spec_missing');
    writeFileSync(join(folder.path, 'nvidia.yaml'), 'cdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices: []\n');
    expect((await failure(asked.start(id, forever))).code).toBe('cdi_spec_stale');
  });
});

describe('logs', () => {
  async function started(
    tty = false,
  ): Promise<{ engine: DockerEngineSimulator; asked: ContainerEngine; id: string }> {
    const engine = await simulator(still);
    const asked = client();
    const { id } = await asked.create(spec(), forever);
    if (tty) Object.assign(engine.container(id).wish, { tty: true });
    await asked.start(id, forever);
    return { engine, asked, id };
  }

  it.each([
    ['framed', false],
    ['raw', true],
  ])('come line by line, %s', async (_framing, tty) => {
    const { engine, asked, id } = await started(tty);
    engine.container(id).log('one\n');
    engine.container(id).log('two\n', 'stderr');
    const lines = await collect(asked.logs(id, { follow: false }, forever));
    expect(lines.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(lines.map(({ stream }) => stream)).toEqual(['stdout', tty ? 'stdout' : 'stderr']);
    expect(Math.abs((lines[0]?.atMs ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it('follow what is written until the container ends', async () => {
    const { engine, asked, id } = await started();
    const lines: LogLine[] = [];
    const reading = (async () => {
      for await (const line of asked.logs(id, { follow: true, tailLines: 0 }, forever)) lines.push(line);
    })();
    await eventually('it is followed', () => engine.requests.includes(`GET /containers/${id}/logs`));
    await eventually('lines come', () => {
      if (lines.length < 3) engine.container(id).log('and on\n');
      return lines.length >= 3;
    });
    await engine.kill(id);
    await reading;
    expect(lines[0]?.text).toBe('and on');
  });

  it('of a megabyte are cut, and broken UTF-8 is no obstacle', async () => {
    const { engine, asked, id } = await started();
    engine.container(id).log(`${'x'.repeat(1 << 20)}\n`);
    engine.container(id).log(Buffer.from([0x61, 0xff, 0xfe, 0x62, 0x0a]));
    const lines = await collect(asked.logs(id, { follow: false }, forever));
    expect(lines[0]?.text.length).toBeLessThanOrEqual(4096);
    expect(lines[0]?.text).toMatch(/x… \[\d+ more\]$/);
    expect(lines[1]?.text).toBe('a\ufffd\ufffdb');
  });

  it('of a container that is not there are refused', async () => {
    await simulator(still);
    expect((await failure(collect(client().logs('nope', { follow: false }, forever)))).code).toBe(
      'not_found',
    );
  });
});

describe('events', () => {
  it('tell what happens, and where something may be missing', async () => {
    const engine = await simulator(still);
    const asked = client();
    const events: ContainerEvent[] = [];
    const stop = new AbortController();
    const reading = (async () => {
      for await (const event of asked.events(stop.signal)) events.push(event);
    })();
    const kinds = (): string[] => events.map(({ kind }) => kind);
    await eventually('they listen', () => kinds().length === 1 && engine.listeners === 1);
    const { id } = await asked.create(spec(), forever);
    await asked.start(id, forever);
    await engine.kill(id, { exitCode: 139 });
    await eventually('they heard', () => kinds().includes('die'));
    expect(kinds()).toEqual(['resynced', 'create', 'start', 'kill', 'die']);
    expect(events.at(-1)).toMatchObject({
      id,
      name: 'ai-fabric-chat',
      exitCode: 139,
      labels: { 'io.ai-fabric.deployment': 'chat' },
    });

    await engine.vanish();
    await engine.start(id);
    await engine.comeBack();
    await eventually('they are back', () => kinds().filter((kind) => kind === 'resynced').length === 2);
    await eventually(
      'what was missed comes too',
      () => kinds().lastIndexOf('start') > kinds().lastIndexOf('resynced'),
    );
    stop.abort();
    await reading;
    await eventually('nobody listens', () => engine.listeners === 0);
  });

  it('are read on while nobody takes them, and never pile up', async () => {
    const engine = await simulator(still);
    const asked = client();
    const events = asked.events(forever)[Symbol.asyncIterator]();
    expect((await events.next()).value).toEqual({ kind: 'resynced' });
    engine.flood(10_000);
    await asked.create(spec({ name: 'ai-fabric-last' }), forever);
    let taken = 0;
    let resynced = false;
    for (;;) {
      const event: ContainerEvent = (await events.next()).value;
      taken += 1;
      if (event.kind === 'resynced') resynced = true;
      else if (event.name === 'ai-fabric-last') break;
    }
    expect(taken).toBeLessThanOrEqual(10_001);
    expect(resynced || taken === 10_001).toBe(true);
    await events.return?.();
  });

  it('end when the client is closed', async () => {
    await simulator(still);
    const asked = client();
    const events = collect(asked.events(forever));
    await asked.close();
    await events;
  });
});

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
