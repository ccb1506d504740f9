import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentHost } from '../harness/agent-host.js';
import { ControlPlaneProcess } from '../harness/control-plane-process.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { sampleTimes } from '../harness/sample-times.js';
import { eventually } from '../simulators/common/eventually.js';
import { startVllmSimulator, type VllmSimulator } from '../simulators/vllm/start-vllm-simulator.js';

interface Listing<Item> {
  readonly items: readonly Item[];
}

describe('a control plane that is killed and started again', () => {
  let controlPlane: ControlPlaneProcess;
  let engine: VllmSimulator;
  const hosts: AgentHost[] = [];

  beforeEach(async () => {
    controlPlane = new ControlPlaneProcess();
    engine = await startVllmSimulator({ model: 'served', gaugeColdMs: 0 });
    await controlPlane.start({ fabric: fabricOf(engine.url), makesCertificate: true });
    for (const name of ['armitage', 'wintermute']) {
      const host = await AgentHost.prepare({ name, cadenceMs: 250 });
      hosts.push(host);
      await host.join(controlPlane.tlsUrl, await controlPlane.joinToken());
      await host.start();
    }
  });
  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.remove()));
    await controlPlane.close();
    await engine.close();
  });

  const chat = (): Promise<Response> =>
    fetch(`${controlPlane.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'chat-fast', messages: [{ role: 'user', content: 'Hello' }] }),
    });
  const online = async (): Promise<number> => {
    const { items } = await controlPlane.api<Listing<{ presence: string }>>('/hosts');
    return items.filter(({ presence }) => presence === 'online').length;
  };

  test('loses nothing that was declared, has its agents back within seconds, and serves as before', async () => {
    await eventually('it serves', async () => (await chat()).status === 200);
    await eventually('both are online', async () => (await online()) === 2);
    const body = { hostName: 'neuromancer' };
    const token = await controlPlane.api<{ id: string }>('/join-tokens', { method: 'POST', body });
    await controlPlane.api('/hosts/wintermute/drain', { method: 'POST' });
    await controlPlane.api('/roles/chat-new', {
      method: 'PUT',
      body: { task: 'chat', targets: [{ deployment: 'qwen-armitage' }] },
    });
    const before = await picture(controlPlane);

    const killedAtMs = Date.now();
    await controlPlane.kill();
    await expect(fetch(controlPlane.url)).rejects.toThrow();
    // Without the file: what was declared is in the registry.
    await controlPlane.start();
    const upAtMs = Date.now();
    await eventually('the agents are back', async () => (await online()) === 2);
    await eventually('it serves again', async () => (await chat()).status === 200);

    expect(await picture(controlPlane)).toEqual(before);
    const { items } = await controlPlane.api<Listing<{ id: string; state: string }>>('/join-tokens');
    expect(items.find(({ id }) => id === token.id)).toMatchObject({ state: 'unused' });

    // What was measured while nobody listened is there too: no longer gap than a sample of theirs may be late, told to
    // the second.
    await eventually('the gap is filled', async () => (await longestGap(killedAtMs, upAtMs)) < 2_500);
  });

  const longestGap = async (fromMs: number, toMs: number): Promise<number> => {
    const seen = await sampleTimes((path) => controlPlane.api(path), 'armitage', fromMs);
    const times = [fromMs, ...seen.filter((atMs) => atMs <= toMs + 1_000), toMs];
    return Math.max(...times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0)));
  };

  // Windows has no SIGTERM: there a stop is what a kill is.
  test.skipIf(process.platform === 'win32')(
    'after it was told to stop still knows hosts that are away, and what was last known of them',
    async () => {
      const known = () =>
        controlPlane.api<{ presence: string; inventory: object | null; lastSeenMs: number }>(
          '/hosts/wintermute',
        );
      await eventually('its inventory is known', async () => (await known()).inventory !== null);
      await hosts[1]?.stop('shutdown');
      await eventually('it is away', async () => (await known()).presence === 'away');
      const before = await known();
      expect((await controlPlane.stop()).exitCode).toBe(0);
      await controlPlane.start();
      const after = await known();
      expect(after).toMatchObject({
        presence: 'away',
        goodbyeReason: 'shutdown',
        inventory: before.inventory,
      });
      expect(Math.abs(after.lastSeenMs - before.lastSeenMs)).toBeLessThan(15_000);
    },
  );
});

/** What a restart must not change. */
async function picture(controlPlane: ControlPlaneProcess): Promise<object> {
  const [status, hosts, deployments, roles] = await Promise.all([
    controlPlane.api<{ declaredRevision: number; certificateSha256: string }>('/status'),
    controlPlane.api<Listing<{ name: string; hostId: string; draining: boolean; declared: boolean }>>(
      '/hosts',
    ),
    controlPlane.api<Listing<{ name: string; url: string; servedModel: string }>>('/deployments'),
    controlPlane.api<Listing<{ name: string; targets: unknown; aliases: unknown }>>('/roles'),
  ]);
  return {
    adminToken: controlPlane.adminToken,
    certificateSha256: status.certificateSha256,
    revision: status.declaredRevision,
    hosts: hosts.items.map(({ name, hostId, draining, declared }) => ({ name, hostId, draining, declared })),
    deployments: deployments.items.map(({ name, url, servedModel }) => ({ name, url, servedModel })),
    roles: roles.items.map(({ name, targets, aliases }) => ({ name, targets, aliases })),
  };
}

function fabricOf(engineUrl: string): string {
  return fabricYaml({
    hosts: { armitage: {}, wintermute: { mayBeAway: true } },
    deployments: { 'qwen-armitage': { host: 'armitage', url: engineUrl, servedModel: 'served' } },
    roles: { 'chat-fast': { targets: ['qwen-armitage'] } },
    aliases: { 'local/chat': 'chat-fast' },
  });
}
