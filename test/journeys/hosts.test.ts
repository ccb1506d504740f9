import { once } from 'node:events';
import { cpSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { JoinError, LinkError } from '@ai-fabric/agent';
import { makeSelfSigned } from '@ai-fabric/control-plane/testing';
import { DEFAULT_AGENT_POLICY, type Issue, type TelemetrySample, tellPolicy } from '@ai-fabric/shared';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentHost, type AgentHostOptions } from '../harness/agent-host.js';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { BootedFabric } from '../harness/boot-fabric.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { hostKeys, LightHost } from '../harness/light-host.js';
import { type MovableClock, movableClock } from '../harness/test-clocks.js';
import { eventually } from '../simulators/common/eventually.js';
import { SAMPLE_CARDS } from '../simulators/nvidia-smi/scenario.js';

interface HostAnswer {
  readonly presence: string;
  readonly clockSkewMs: number | null;
  readonly issues: readonly Issue[];
  readonly sample: TelemetrySample | null;
  readonly inventory: { readonly gpus: readonly { readonly uuid: string; readonly name: string }[] } | null;
}

interface Plan {
  readonly warnings: readonly { readonly message: string }[];
}

describe('a new host', () => {
  test('joins and serves', async () => {
    const fabric = await BootedFabric.boot({
      hosts: { armitage: { agent: 'none', cards: {}, engines: { 'qwen-armitage': { load: 'on demand' } } } },
      // What has to wait is refused at once: that it is held otherwise is held-requests' to show.
      roles: { 'chat-fast': { targets: ['qwen-armitage'], patienceSeconds: 0 } },
    });
    try {
      expect((await fabric.chat('chat-fast')).status).toBe(503);
      await fabric.join('armitage');
      // Its engine is not there yet: the host is, and says so.
      await fabric.untilPhase('qwen-armitage', 'starting');
      expect((await fabric.chat('chat-fast')).status).toBe(503);

      await fabric.engine('qwen-armitage').load();
      await fabric.untilPhase('qwen-armitage', 'ready');
      // Ready means that a token was seen, and the agent asked for one and no more.
      const proofs = fabric.engine('qwen-armitage').inferenceRequests;
      expect(proofs).toHaveLength(1);
      expect(JSON.parse(proofs[0]?.bodyText ?? '{}')).toMatchObject({ max_tokens: 1 });

      const answer = await fabric.chat('chat-fast');
      expect(answer.status).toBe(200);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'x-fabric-host': 'armitage',
        'x-fabric-replica': 'qwen-armitage',
        'x-fabric-attempts': '1',
        'x-fabric-reason': expect.any(String),
        'x-fabric-overhead-ms': expect.stringMatching(/^\d+\.\d\d$/),
      });
      expect(await answer.text()).toContain('qwen-armitage');

      const host = () => fabric.controlPlane.api<HostAnswer>('/hosts/armitage');
      const { uuid, name } = SAMPLE_CARDS.rtx2080;
      await eventually('its card is known', async () => (await host()).inventory?.gpus.length === 1);
      await eventually('its card is read', async () => (await host()).sample?.gpus[uuid] !== undefined);
      const { inventory, sample, issues } = await host();
      expect(inventory?.gpus[0]).toMatchObject({ uuid, name });
      expect(sample?.gpus[uuid]?.vramTotalBytes).toBe(8192 * 1024 * 1024);
      expect(sample?.host.memoryTotalBytes).toBeGreaterThan(0);
      expect(issues).toEqual([]);
    } finally {
      await fabric.close();
    }
  });
});

describe('hosts', () => {
  let clock: MovableClock;
  let controlPlane: BootedControlPlane;
  const prepared: { remove(): Promise<void> }[] = [];

  const prepare = async (name: string, options: Partial<AgentHostOptions> = {}): Promise<AgentHost> => {
    const host = await AgentHost.prepare({ name, ...options });
    prepared.push(host);
    return host;
  };
  const joined = async (name: string, options: Partial<AgentHostOptions> = {}): Promise<AgentHost> => {
    const host = await prepare(name, options);
    await host.join(controlPlane.tlsUrl, await controlPlane.joinToken());
    await host.start();
    return host;
  };
  const host = (name: string): Promise<HostAnswer> => controlPlane.api<HostAnswer>(`/hosts/${name}`);
  const issueCodes = async (name: string): Promise<string[]> =>
    (await host(name)).issues.map(({ code }) => code);

  beforeEach(async () => {
    clock = movableClock();
    controlPlane = await BootedControlPlane.boot({ fabric: fabricYaml({ hosts: { armitage: {} } }), clock });
  });
  afterEach(async () => {
    await Promise.all(prepared.splice(0).map((each) => each.remove()));
    await controlPlane.close();
  });

  test('that bring a token twice, an expired or a revoked one are refused, and told what mends it', async () => {
    const token = await controlPlane.joinToken();
    await (await prepare('armitage')).join(controlPlane.tlsUrl, token);
    const refusals: [string, Promise<string>][] = [['token_used', Promise.resolve(token)]];
    refusals.push(['token_unknown', revokedToken()]);
    const expired = controlPlane.joinToken().then((made) => {
      clock.move(61_000);
      return made;
    });
    refusals.push(['token_expired', expired]);
    for (const [reason, refused] of refusals) {
      const newcomer = await prepare('wintermute');
      const error = await newcomer
        .join(controlPlane.tlsUrl, await refused)
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(LinkError);
      expect((error as LinkError).failure).toMatchObject({ code: 'goodbye', reason });
      expect((error as LinkError).message).toContain('ai-fabric token create');
    }
    const names = (await controlPlane.api<{ items: { name: string }[] }>('/hosts')).items.map(
      ({ name }) => name,
    );
    expect(names).toEqual(['armitage']);
  });

  const revokedToken = async (): Promise<string> => {
    const path = '/join-tokens';
    const made = await controlPlane.api<{ id: string; token: string }>(path, { method: 'POST', body: {} });
    await controlPlane.api(`${path}/${made.id}`, { method: 'DELETE' });
    return made.token;
  };

  test('that bring a token of another name are refused', async () => {
    const newcomer = await prepare('wintermute');
    const error = await newcomer
      .join(controlPlane.tlsUrl, await controlPlane.joinToken('armitage'))
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LinkError);
    expect((error as LinkError).message).toContain('armitage');
  });

  test('tell what their owners allow, and a plan warns of the rest while they are away too', async () => {
    const policy = { ...tellPolicy(DEFAULT_AGENT_POLICY), models: ['BAAI/*'] };
    const armitage = await joined('armitage', { policy });
    const deployments = { chat: { host: 'armitage', engine: 'vllm', preset: 'chat-fast' } };
    const body = { document: { version: 1, hosts: { armitage: {} }, deployments }, prune: false };
    const warnings = async (): Promise<string[]> => {
      const plan = await controlPlane.api<Plan>('/declared/plan', { method: 'POST', body });
      return plan.warnings.map(({ message }) => message);
    };
    await eventually('it warns', async () => (await warnings()).length === 1);
    await armitage.stop();
    expect(await warnings()).toEqual([
      expect.stringMatching(
        /^the agent on "armitage" will refuse "chat" \(models: Qwen\/.+agent\.yaml on that host/,
      ),
    ]);
  });

  test('that have joined before do not join again by accident', async () => {
    const armitage = await prepare('armitage');
    await armitage.join(controlPlane.tlsUrl, await controlPlane.joinToken());
    const again = await armitage
      .join(controlPlane.tlsUrl, await controlPlane.joinToken())
      .catch((reason: unknown) => reason);
    expect(again).toBeInstanceOf(JoinError);
    expect((again as JoinError).message).toContain('--force');
  });

  test('give a control plane without the pinned certificate not a byte', async () => {
    const own = await makeSelfSigned({ names: [{ kind: 'ip', value: '127.0.0.1' }], nowMs: Date.now() });
    let received = 0;
    let connections = 0;
    const impostor = createServer(
      { cert: own.certificatePem, key: own.privateKeyPem, minVersion: 'TLSv1.3' },
      (socket) => {
        socket.on('error', () => undefined);
        socket.on('data', (bytes) => {
          received += bytes.length;
        });
      },
    );
    impostor.on('connection', () => {
      connections += 1;
    });
    impostor.listen(0, '127.0.0.1');
    await once(impostor, 'listening');
    try {
      const url = `https://127.0.0.1:${(impostor.address() as AddressInfo).port}`;
      const armitage = await prepare('armitage');
      const error = await armitage
        .join(url, await controlPlane.joinToken())
        .catch((reason: unknown) => reason);
      expect((error as LinkError).failure.code).toBe('pin_mismatch');
      // One that has joined and is led astray, too.
      const wintermute = await prepare('wintermute');
      await wintermute.join(controlPlane.tlsUrl, await controlPlane.joinToken());
      await wintermute.start(url);
      await eventually('it tried', () => wintermute.agent.status().link.problem !== null);
      expect(wintermute.agent.status().link.problem).toContain('certificate');
      expect(connections).toBeGreaterThanOrEqual(2);
      expect(received).toBe(0);
    } finally {
      impostor.close();
    }
  });

  test('with a copy of the identity of another are kept out as long as that one lives, and the operator is told', async () => {
    const original = await joined('armitage');
    const copy = await prepare('armitage');
    cpSync(original.stateDirectory, copy.stateDirectory, {
      recursive: true,
      filter: (path) => !path.endsWith('.sock'),
    });
    await copy.start();
    await eventually('the operator is told', async () =>
      (await issueCodes('armitage')).includes('identity_in_use'),
    );
    // It goes on trying, in case the other one is gone some day, and says to its own operator what mends it.
    await eventually(
      'its own operator is told',
      () => copy.agent.status().link.problem?.includes('new token') === true,
    );
    expect(copy.agent.status().link.state).not.toBe('linked');
    expect(original.agent.status().link.state).toBe('linked');
  });

  test('with a key that was carried to another machine are refused', async () => {
    const keys = hostKeys();
    const { tlsUrl } = controlPlane;
    const rightful = new LightHost({
      tlsUrl,
      name: 'armitage',
      keys,
      machine: 'one',
      joinToken: await controlPlane.joinToken(),
    });
    await rightful.link();
    await rightful.close();
    const thief = new LightHost({ tlsUrl, name: 'armitage', keys, machine: 'two' });
    expect(await thief.link()).toMatchObject({
      reason: 'machine_mismatch',
      detail: expect.stringContaining('token'),
    });
    await thief.close();
  });

  test('without an NVIDIA card report the rest, calmly', async () => {
    await joined('armitage', { cards: { behaviour: { kind: 'no_devices' } } });
    await eventually('it says so', async () => (await issueCodes('armitage')).includes('no_gpu'));
    await eventually('it reports', async () => {
      const { sample, inventory } = await host('armitage');
      return sample !== null && inventory !== null;
    });
    const { presence, issues, sample, inventory } = await host('armitage');
    expect(presence).toBe('online');
    expect(issues).toMatchObject([{ code: 'no_gpu', severity: 'info' }]);
    expect(sample).toMatchObject({ gpus: {}, host: { memoryTotalBytes: expect.any(Number) } });
    expect(inventory?.gpus).toEqual([]);
  });

  test('that lose a card say which, and go on with the other', async () => {
    const { rtx2080, rtx4070Super } = SAMPLE_CARDS;
    const armitage = await joined('armitage', { cards: { cards: [rtx2080, rtx4070Super] } });
    const readings = async () => Object.keys((await host('armitage')).sample?.gpus ?? {}).sort();
    const both = [rtx2080.uuid, rtx4070Super.uuid].sort();
    await eventually('both cards are read', async () => (await readings()).join() === both.join());
    await eventually('both are known', async () => (await host('armitage')).inventory?.gpus.length === 2);
    await armitage.nvidiaSmi?.change({ behaviour: { kind: 'card_lost', uuid: rtx2080.uuid } });
    await eventually('the loss is told', async () => (await issueCodes('armitage')).includes('gpu_lost'));
    const { issues } = await host('armitage');
    expect(issues).toMatchObject([{ code: 'gpu_lost', subject: rtx2080.uuid, fix: expect.any(String) }]);
    await eventually(
      'the other card is read alone',
      async () => (await readings()).join() === rtx4070Super.uuid,
    );
    const before = (await host('armitage')).sample?.atMs ?? 0;
    await eventually(
      'and goes on',
      async () => ((await host('armitage')).sample?.atMs ?? 0) > before + 1_000,
    );
  });

  test('whose clock is an hour off are placed right in time, and told of it', async () => {
    await joined('armitage', { clock: movableClock(3_600_000) });
    await eventually('it is told', async () => (await issueCodes('armitage')).includes('clock_skew'));
    await eventually('it reports', async () => (await host('armitage')).sample !== null);
    const { presence, clockSkewMs, sample } = await host('armitage');
    expect(presence).toBe('online');
    expect(Math.abs((clockSkewMs ?? 0) + 3_600_000)).toBeLessThan(10_000);
    expect(Math.abs((sample?.atMs ?? 0) - Date.now())).toBeLessThan(10_000);
  });
});
