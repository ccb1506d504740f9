import {
  type ContainerEngine,
  ContainerEngineError,
  type ContainerEvent,
  type ContainerSpec,
  HelperContainers,
  type LogLine,
  openContainerEngine,
  type PullProgress,
} from '@ai-fabric/agent';
import { systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeReal } from '../harness/real-part.js';
import { eventually } from '../simulators/common/eventually.js';
import { LocalRegistry } from './podman/local-registry.js';
import { PodmanMachine } from './podman/podman-machine.js';
import { podman } from './podman/podman-part.js';

const forever = new AbortController().signal;
const HELPER = { 'io.ai-fabric.helper': 'look' };
const noProgress = { onProgress: () => {} };

describeReal('the container engine client on real Podman', [podman], () => {
  let registry: LocalRegistry;
  let machine: PodmanMachine;
  let engine: ContainerEngine;
  let image: string;

  beforeAll(async () => {
    registry = await LocalRegistry.start();
    machine = await PodmanMachine.start({ registries: [registry.address] });
    image = `${registry.address}/vllm/vllm-openai:v0.32.0`;
    await machine.importVllmImage(image);
    await machine.podman('push', '--quiet', image);
    await machine.podman('rmi', image);
    engine = openContainerEngine({
      endpoints: [machine.socketPath],
      platform: process.platform,
      clock: systemClock(),
      log: pino({ level: 'silent' }),
    });
  });

  afterAll(async () => {
    await engine?.close();
    await machine?.close();
    await registry?.close();
  });

  const spec = (changed: Partial<ContainerSpec> = {}): ContainerSpec => ({
    name: 'ai-fabric-chat',
    image,
    command: ['--model', 'Qwen/Qwen2.5-7B', '--served-model-name', 'chat'],
    environment: { VLLM_API_KEY: 'the key' },
    labels: { 'io.ai-fabric.deployment': 'chat' },
    gpus: { uuids: [machine.cardUuid] },
    publish: [],
    volumes: [{ volume: 'ai-fabric-huggingface', path: '/root/.cache/huggingface' }],
    shmBytes: 64 * 1024 * 1024,
    memoryLimitBytes: 512 * 1024 * 1024,
    securityLabelDisable: false,
    ...changed,
  });

  const made: string[] = [];
  const create = async (changed: Partial<ContainerSpec>): Promise<string> => {
    const { id } = await engine.create(spec(changed), forever);
    made.push(id);
    return id;
  };

  it('says which engine it is', async () => {
    expect(await engine.probe(forever)).toMatchObject({
      reachable: true,
      info: {
        flavour: 'podman',
        version: expect.stringMatching(/^\d+\.\d+/),
        rootless: false,
        desktop: false,
      },
    });
  });

  it.each([
    ['a missing tag', () => `${registry.address}/vllm/vllm-openai:nope`, 'image_not_found'],
    ['a missing repository', () => `${registry.address}/vllm/nope:1`, 'image_not_found'],
    ['a registry that is not there', () => '127.0.0.1:1/vllm/nope:1', 'registry_unreachable'],
  ])('tells %s from other failures, though it comes inside a 200', async (_what, reference, code) => {
    expect(await failure(engine.pull(reference(), noProgress, forever))).toMatchObject({ code, status: 200 });
  });

  it('sees a pull that breaks in the middle of a layer fail, and the next succeed', async () => {
    registry.fault = { kind: 'break', afterBytes: 5_000_000 };
    const error = await failure(engine.pull(image, noProgress, forever));
    expect(error).toMatchObject({ code: 'pull_failed', detail: expect.stringContaining('EOF') });
    expect(await engine.findImage(image, forever)).toBeNull();
    registry.fault = { kind: 'none' };
    const pulled = await engine.pull(image, noProgress, forever);
    expect(pulled.sizeBytes).toBeGreaterThan(50e6);
    expect(await engine.findImage(image, forever)).toEqual(pulled);
  });

  it('shows bytes while a layer comes slowly, and stops when told', async () => {
    await machine.podman('rmi', image);
    registry.fault = { kind: 'slow', bytesPerStep: 100_000 };
    const giveUp = new AbortController();
    const seen: PullProgress[] = [];
    const onProgress = (progress: PullProgress): void => {
      seen.push(progress);
      if ((progress.doneBytes ?? 0) > 0) giveUp.abort();
    };
    expect((await failure(engine.pull(image, { onProgress }, giveUp.signal))).code).toBe('aborted');
    expect(seen.at(-1)?.totalBytes).toBeGreaterThan(seen.at(-1)?.doneBytes ?? 0);
    registry.fault = { kind: 'none' };
  });

  it('sees that the disk is full', async () => {
    await machine.podman('rmi', '--force', image).catch(() => undefined);
    await machine.withSmallDisk(20_000_000, async () => {
      expect(await failure(engine.pull(image, noProgress, forever))).toMatchObject({ code: 'disk_full' });
    });
  });

  it('needs the registry’s credentials, and gives them', async () => {
    registry.credentials = 'me:secret';
    expect((await failure(engine.pull(image, noProgress, forever))).code).toBe('unauthorized');
    const wrong = { username: 'me', password: 'guessed' };
    expect((await failure(engine.pull(image, { auth: wrong, ...noProgress }, forever))).code).toBe(
      'unauthorized',
    );
    await engine.pull(image, { auth: { username: 'me', password: 'secret' }, ...noProgress }, forever);
    registry.credentials = null;
  });

  it('finds an image by its digest', async () => {
    const { digests } = await engine.pull(image, noProgress, forever);
    const byDigest = digests.find((digest) =>
      digest.startsWith(`${registry.address}/vllm/vllm-openai@sha256:`),
    );
    expect(byDigest).toBeDefined();
    expect(await engine.findImage(byDigest ?? '', forever)).not.toBeNull();
  });

  it('runs a container that sees its card, answers on loopback, is watched, and leaves nothing', async () => {
    const port = 20_000 + (process.pid % 20_000);
    const stop = new AbortController();
    const events: ContainerEvent[] = [];
    const watching = (async () => {
      for await (const event of engine.events(stop.signal)) events.push(event);
    })();
    await eventually('it watches', () => events.length > 0);
    await engine.ensureVolume('ai-fabric-huggingface', { 'io.ai-fabric.cache': 'yes' }, forever);
    await engine.ensureVolume('ai-fabric-huggingface', { 'io.ai-fabric.cache': 'yes' }, forever);
    const publish = [{ hostAddress: '127.0.0.1', hostPort: port, containerPort: 8000 }];
    const id = await create({ publish });
    await engine.start(id, forever);
    await engine.start(id, forever);

    const seen = await engine.exec(id, ['nvidia-smi', '-L'], forever);
    expect(seen).toEqual({ exitCode: 0, output: `GPU 0: ${machine.cardName} (UUID: ${machine.cardUuid})\n` });
    expect(await engine.inspect('ai-fabric-chat', forever)).toMatchObject({
      id,
      state: 'running',
      exitCode: null,
      image,
      labels: { 'io.ai-fabric.deployment': 'chat' },
      ports: publish,
      mounts: [{ kind: 'volume', source: 'ai-fabric-huggingface', path: '/root/.cache/huggingface' }],
      environmentNames: expect.arrayContaining(['VLLM_API_KEY']),
      restartPolicy: 'no',
      privileged: false,
    });
    const url = `http://127.0.0.1:${port}/v1/models`;
    await eventually('it answers', () =>
      fetch(url).then(
        (answer) => answer.status === 401,
        () => false,
      ),
    );
    const models = await fetch(url, { headers: { authorization: 'Bearer the key' } });
    expect(await models.text()).toContain('"chat"');

    const rival = await create({ name: 'ai-fabric-rival', publish });
    expect((await failure(engine.start(rival, forever))).code).toBe('port_in_use');
    expect((await failure(engine.create(spec(), forever))).code).toBe('name_taken');
    expect((await failure(engine.removeVolume('ai-fabric-huggingface', forever))).code).toBe('conflict');

    await machine.podman('kill', 'ai-fabric-chat');
    await eventually('its death is seen', () => events.some(({ kind }) => kind === 'die'));
    const death = events.find(({ kind }) => kind === 'die');
    expect(death).toMatchObject({
      id,
      name: 'ai-fabric-chat',
      exitCode: 137,
      labels: { 'io.ai-fabric.deployment': 'chat' },
    });
    expect(await engine.inspect(id, forever)).toMatchObject({ state: 'exited', exitCode: 137 });
    expect((await failure(engine.exec(id, ['nvidia-smi', '-L'], forever))).code).toBe('conflict');
    await engine.start(id, forever);
    await engine.stop(id, 1, forever);
    await engine.stop(id, 1, forever);
    for (const each of made.splice(0)) await engine.remove(each, forever);
    await engine.remove(id, forever);
    expect(await engine.list(forever)).toEqual([]);
    await engine.removeVolume('ai-fabric-huggingface', forever);
    expect(await engine.listVolumes(forever)).toEqual([]);
    await eventually('all is seen', () => events.some(({ kind }) => kind === 'remove'));
    stop.abort();
    await watching;
    expect(events.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['create', 'start', 'kill', 'die', 'remove']),
    );
  });

  it('follows a log through to the end of its container', async () => {
    const id = await create({
      name: 'ai-fabric-dies',
      environment: {
        SIMULATED_DEATH: 'torch.OutOfMemoryError: CUDA out of memory.',
        SIMULATED_LOAD_MS: '300',
      },
    });
    await engine.start(id, forever);
    const lines: LogLine[] = [];
    for await (const line of engine.logs(id, { follow: true }, forever)) lines.push(line);
    expect(lines.at(0)).toMatchObject({ stream: 'stdout', text: expect.stringContaining('vLLM API server') });
    expect(lines.at(-1)).toMatchObject({
      stream: 'stderr',
      text: 'torch.OutOfMemoryError: CUDA out of memory.',
    });
    expect(Math.abs((lines[0]?.atMs ?? 0) - Date.now())).toBeLessThan(60_000);
    await eventually('its end is known', async () => (await engine.inspect(id, forever))?.exitCode === 1);
    const tail: LogLine[] = [];
    for await (const line of engine.logs(id, { follow: false, tailLines: 1 }, forever)) tail.push(line);
    expect(tail.map(({ text }) => text)).toEqual(['torch.OutOfMemoryError: CUDA out of memory.']);
    await engine.remove(id, forever);
  });

  it('catches the card that Docker’s create call loses without a word', async () => {
    // What a client of Docker's API would send: Podman 4 answers 201 and forgets the wish.
    const body = {
      Image: image,
      HostConfig: {
        DeviceRequests: [{ Driver: '', DeviceIDs: [machine.cardUuid], Capabilities: [['gpu']] }],
      },
    };
    const id = await createByDocker(machine.socketPath, 'silent-loss', body);
    await engine.start(id, forever);
    const { exitCode } = await engine.exec(id, ['nvidia-smi', '-L'], forever);
    expect(exitCode).toBe(127);
    await engine.remove(id, forever);
  });

  it('tells a CDI spec that is stale from one that is not there', async () => {
    const stranger = await create({ name: 'ai-fabric-stranger', gpus: { uuids: ['GPU-00000000-none'] } });
    expect((await failure(engine.start(stranger, forever))).code).toBe('cdi_spec_stale');
    machine.makeCardStale();
    const stale = await create({ name: 'ai-fabric-stale' });
    expect((await failure(engine.start(stale, forever))).code).toBe('cdi_spec_stale');
    machine.removeCard();
    expect((await failure(engine.start(stale, forever))).code).toMatch(/^cdi_spec_(missing|stale)$/);
    machine.installCard();
    await engine.start(stale, forever);
    for (const each of made.splice(0)) await engine.remove(each, forever);
  });

  it('keeps no one-off container, whenever nobody waits for it any longer', async () => {
    const helpers = new HelperContainers({ engine, hostId: 'h', log: pino({ level: 'silent' }) });
    const helper = { kind: 'look', image, script: '', args: [], environment: {} };
    const names = async (): Promise<string[]> => (await engine.list(forever)).map(({ name }) => name);
    for (const afterMs of [20, 50, 80, 120, 180, 250, 350, 500]) {
      const lines = helpers.run(helper, AbortSignal.timeout(afterMs));
      // Left to itself it fails too: this image has no Python.
      await failure(lines[Symbol.asyncIterator]().next());
      expect(await names(), `after ${afterMs} ms`).toEqual([]);
    }
    // What an agent that was killed in the middle of it left.
    await create({ name: 'ai-fabric-look-left', labels: { ...HELPER, 'io.ai-fabric.host': 'h' } });
    await create({ name: 'ai-fabric-look-other', labels: { ...HELPER, 'io.ai-fabric.host': 'another' } });
    await helpers.sweep();
    expect(await names()).toEqual(['ai-fabric-look-other']);
    for (const each of made.splice(0)) await engine.remove(each, forever);
  });

  it('lets an engine go away and come back, with its containers running on', async () => {
    const id = await create({ name: 'ai-fabric-stays' });
    await engine.start(id, forever);
    const stop = new AbortController();
    const events: ContainerEvent[] = [];
    const watching = (async () => {
      for await (const event of engine.events(stop.signal)) events.push(event);
    })();
    await eventually('it watches', () => events.length > 0);
    const startedAtMs = (await engine.inspect(id, forever))?.startedAtMs;
    await machine.stopService();
    expect((await failure(engine.inspect(id, forever))).code).toBe('unreachable');
    expect(await engine.probe(forever)).toMatchObject({ reachable: false, code: 'engine_unreachable' });
    await machine.startService();
    expect(await engine.inspect(id, forever)).toMatchObject({ state: 'running', startedAtMs });
    await eventually('it watches again', () => events.filter(({ kind }) => kind === 'resynced').length === 2);
    await machine.podman('kill', id);
    await eventually('it sees', () => events.some((event) => event.kind === 'die' && event.id === id));
    stop.abort();
    await watching;
    await engine.remove(id, forever);
  });
});

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

async function createByDocker(socketPath: string, name: string, body: object): Promise<string> {
  const { request } = await import('node:http');
  const text = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  const answer = await new Promise<string>((resolve, reject) => {
    const call = request({
      socketPath,
      method: 'POST',
      path: `/v1.41/containers/create?name=${name}`,
      headers,
    });
    call.once('error', reject);
    call.once('response', async (response) => {
      let said = '';
      for await (const piece of response) said += String(piece);
      resolve(said);
    });
    call.end(text);
  });
  return (JSON.parse(answer) as { Id: string }).Id;
}
