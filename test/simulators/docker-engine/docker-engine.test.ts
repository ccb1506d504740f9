import { createServer } from 'node:net';
import type { PullProgress } from '@ai-fabric/agent';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../common/eventually.js';
import { CARD, EngineFixture, failure, forever, IMAGE, spec, still } from './engine-fixture.js';

let fixture: EngineFixture;
beforeEach(() => {
  fixture = new EngineFixture();
});
afterEach(() => fixture.close());

describe('looking for the engine', () => {
  it.each([
    [{}, { flavour: 'docker', version: '28.1.1', apiVersion: '1.47', rootless: false, desktop: false }],
    [{ desktop: true }, { flavour: 'docker', desktop: true }],
    [
      { flavour: 'podman', version: '4.3.1', rootless: true },
      { flavour: 'podman', version: '4.3.1', rootless: true },
    ],
  ] as const)('tells what it is: %j', async (options, info) => {
    await fixture.simulator(options);
    expect(await fixture.client().probe(forever)).toMatchObject({
      reachable: true,
      info: { ...info, endpoint: fixture.path },
    });
  });

  it.each([
    ['linux', 'engine_unreachable'],
    ['win32', 'sign_in_needed'],
  ])('says what its absence means on %s', async (platform, code) => {
    expect(await fixture.client(platform).probe(forever)).toMatchObject({ reachable: false, code });
  });

  it('says that an old one cannot be used', async () => {
    await fixture.simulator({ version: '18.9', apiVersion: '1.39' });
    const probe = await fixture.client().probe(forever);
    expect(probe).toMatchObject({ reachable: false, code: 'engine_too_old' });
  });

  it('takes no other server for an engine', async () => {
    const engine = await fixture.simulator();
    engine.setMood('garbage');
    expect(await fixture.client().probe(forever)).toMatchObject({
      reachable: false,
      code: 'engine_unreachable',
    });
  });

  it('finds it again after it was away', async () => {
    const engine = await fixture.simulator(still);
    const asked = fixture.client();
    await asked.list(forever);
    await engine.vanish();
    expect((await failure(asked.list(forever))).code).toBe('unreachable');
    await engine.comeBack();
    expect(await asked.list(forever)).toEqual([]);
  });
});

describe('a call', () => {
  it('ends with its signal', async () => {
    const engine = await fixture.simulator();
    const asked = fixture.client();
    await asked.list(forever);
    engine.setMood('hangs');
    const giveUp = new AbortController();
    const listing = failure(asked.list(giveUp.signal));
    await eventually('it is under way', () => engine.requests.at(-1) === 'GET /containers/json');
    giveUp.abort();
    expect((await listing).code).toBe('aborted');
  });

  it('ends when the client is closed', async () => {
    const engine = await fixture.simulator();
    const asked = fixture.client();
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
    await fixture.simulator(pulled);
    const asked = fixture.client();
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
    const engine = await fixture.simulator(pulled);
    const asked = fixture.client();
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
    const engine = await fixture.simulator(pulled);
    engine.failNextPull({ message, afterLayers: 1 });
    const error = await failure(fixture.client().pull(IMAGE, { onProgress: () => {} }, forever));
    expect(error).toMatchObject({ code, status: 200, detail: message });
  });

  it('says that the registry has no such image', async () => {
    await fixture.simulator(pulled);
    const error = await failure(
      fixture.client().pull('vllm/vllm-openai:nope', { onProgress: () => {} }, forever),
    );
    expect(error.code).toBe('image_not_found');
  });

  it('can be given up half way', async () => {
    await fixture.simulator({ ...pulled, layerMs: 60_000 });
    const giveUp = new AbortController();
    const pull = fixture.client().pull(IMAGE, { onProgress: () => giveUp.abort() }, giveUp.signal);
    expect((await failure(pull)).code).toBe('aborted');
  });

  it('fails when the engine goes away', async () => {
    const engine = await fixture.simulator({ ...pulled, layerMs: 60_000 });
    const pull = fixture.client().pull(IMAGE, { onProgress: () => void engine.vanish() }, forever);
    expect((await failure(pull)).code).toBe('unreachable');
  });
});

describe('a container', () => {
  it('is made, started, seen, stopped and removed', async () => {
    const engine = await fixture.simulator(still);
    const asked = fixture.client();
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
    await fixture.simulator();
    const asked = fixture.client();
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
    const engine = await fixture.simulator(still);
    const asked = fixture.client();
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
