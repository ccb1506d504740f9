import { engineStorage, weightsLook } from '@ai-fabric/agent';
import { systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { declare, KeptHost } from '../harness/kept-containers.js';
import { describeReal } from '../harness/real-part.js';
import { eventually } from '../simulators/common/eventually.js';
import { LocalRegistry } from './podman/local-registry.js';
import { PodmanMachine } from './podman/podman-machine.js';
import { podman } from './podman/podman-part.js';

const NAME = 'ai-fabric-qwen';

describeReal('a replica that is kept on real Podman', [podman], () => {
  let registry: LocalRegistry;
  let machine: PodmanMachine;
  let host: KeptHost;
  let image: string;
  const inFlight = { count: 0 };
  /** Of the disk. */
  let pretended: { freeBytes?: number } = {};

  beforeAll(async () => {
    registry = await LocalRegistry.start();
    machine = await PodmanMachine.start({ registries: [registry.address] });
    image = `${registry.address}/vllm/vllm-openai:v0.32.0`;
    await machine.importVllmImage(image);
    await machine.podman('push', '--quiet', image);
    await machine.podman('rmi', image);
    host = new KeptHost({
      ...{ socketPath: machine.socketPath, cards: [machine.cardUuid], inFlight },
      openStorage: (parts) => {
        const storage = engineStorage({
          ...{ census: parts.census, platform: process.platform, systemDriveFreeBytes: () => null },
          weights: weightsLook({ ...parts, clock: systemClock(), log: pino({ level: 'silent' }) }),
        });
        return { ...storage, room: async (signal) => ({ ...(await storage.room(signal)), ...pretended }) };
      },
    });
    await host.start();
  });

  afterAll(async () => {
    await host?.close();
    await machine?.close();
    await registry?.close();
  });

  const startedAt = (): Promise<string> =>
    machine.podman('inspect', '--format', '{{.State.StartedAt}}', NAME);
  const containers = (): Promise<string> => machine.podman('ps', '--all', '--format', '{{.Names}}');

  const ask = async (): Promise<number> => {
    const address = host.keepers.engineAddress('qwen');
    if (address === null) return 0;
    const answer = await fetch(`http://${address.host}:${address.port}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${address.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'qwen', messages: [{ role: 'user', content: 'Hello' }] }),
    });
    return answer.status;
  };

  it('has no room: its registry’s numbers are told, and nothing is fetched', async () => {
    pretended = { freeBytes: 1_000 };
    host.declare(declare({ image, maxConcurrent: 9 }));
    await host.reaches('failed', 'qwen', 30_000);
    expect(host.status()).toMatchObject({ code: 'disk_full', growth: { freeBytes: 1_000 } });
    // Node and a program: some tens of megabytes.
    expect(host.status()?.growth?.imageBytes).toBeGreaterThan(10e6);
    expect(await host.engine.findImage(image, new AbortController().signal)).toBeNull();
    pretended = {};
  });

  it('is pulled from a registry, made with its card, proven, and answers', async () => {
    host.declare(declare({ image }));
    await host.reaches('ready', 'qwen', 60_000);
    expect(await ask()).toBe(200);
    expect(host.status()).toMatchObject({ container: { adopted: false }, drift: [], code: null });
    const probe = await host.engine.probe(new AbortController().signal);
    expect(probe.reachable && probe.info.storagePath).toMatch(/^\/.+/);
    // Its image has no Python to look into the cache with: no look is left behind.
    await eventually('it is alone', async () => (await containers()).trim() === NAME);
    expect(host.keepers.issues()).toEqual([]);
  });

  it('asks for its key, which no command line shows', async () => {
    const key = host.keepers.engineAddress('qwen')?.key ?? '';
    const port = host.status()?.port;
    expect((await fetch(`http://127.0.0.1:${port}/v1/models`)).status).toBe(401);
    expect(
      await machine.podman('inspect', '--format', '{{.Config.Cmd}}{{.Config.Entrypoint}}', NAME),
    ).not.toContain(key);
    expect(await machine.podman('top', NAME, 'args')).not.toContain(key);
  });

  it('is back soon after it was killed', async () => {
    await machine.podman('kill', '--signal', 'KILL', NAME);
    await eventually('the crash is seen', () => host.status()?.phase !== 'ready');
    await host.reaches('ready', 'qwen', 30_000);
    expect(await ask()).toBe(200);
  });

  it('drains and is made anew when its declaration changed', async () => {
    const before = host.status()?.container?.id;
    inFlight.count = 1;
    host.declare(declare({ image, contextTokens: 2_048 }));
    await host.reaches('draining');
    expect(await containers()).toContain(NAME);
    inFlight.count = 0;
    await host.reaches('ready', 'qwen', 60_000);
    expect(host.status()?.container?.id).not.toBe(before);
    expect(host.status()?.maxModelLen).toBe(2_048);
  });

  it('is recognised after a restart of the agent, and left running', async () => {
    const before = await startedAt();
    await host.stop();
    await host.start();
    host.declare(declare({ image, contextTokens: 2_048 }));
    await host.reaches('ready', 'qwen', 30_000);
    expect(await startedAt()).toBe(before);
  });

  it("goes on while the container engine's service is away, and is recognised afterwards", async () => {
    const before = await startedAt();
    await machine.stopService();
    await eventually('it is told', () => host.codes().includes('engine_unreachable'), 70_000);
    expect(host.status()?.phase).toBe('ready');
    expect(await ask()).toBe(200);
    await machine.startService();
    await eventually('it is over', () => host.codes().length === 0, 20_000);
    expect(host.status()?.phase).toBe('ready');
    expect(await startedAt()).toBe(before);
  });

  it('is set right when somebody pauses or removes it by hand', async () => {
    const before = host.status()?.container?.id;
    await machine.podman('pause', NAME);
    await eventually('it is made anew', () => host.status()?.container?.id !== before, 20_000);
    await host.reaches('ready', 'qwen', 30_000);
    await machine.podman('rm', '--force', '--time', '0', NAME);
    await host.reaches('ready', 'qwen', 30_000);
  });

  it('leaves nothing when its deployment is gone', async () => {
    await host.reaches('ready', 'qwen', 30_000);
    host.declare();
    await eventually('it is gone', async () => !(await containers()).includes(NAME), 30_000);
    expect(host.keepers.orphans()).toEqual([]);
  });

  it('without a CDI spec says so, and gets ready once there is one', async () => {
    machine.removeCard();
    host.declare(declare({ image }));
    await eventually('it is told', () => host.codes().includes('cdi_spec_missing'), 30_000);
    expect(host.status()?.phase).not.toBe('ready');
    machine.installCard();
    await host.reaches('ready', 'qwen', 60_000);
    expect(host.keepers.issues()).toEqual([]);
    host.declare();
    await eventually('it is gone', async () => !(await containers()).includes(NAME), 30_000);
  });
});
