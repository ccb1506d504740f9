import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describeReal, networkNamespaces } from '../harness/real-part.js';
import { sampleTimes } from '../harness/sample-times.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';
import {
  type DockerEngineSimulator,
  startDockerEngine,
} from '../simulators/docker-engine/start-docker-engine.js';
import type { LanHost } from './network/lan.js';
import { LanEngine, lanEngineProgram } from './network/lan-engine.js';
import { LanFabric } from './network/lan-fabric.js';
import { askFrom } from './network/lan-program.js';

const IMAGE = 'docker.io/vllm/vllm-openai:v0.32.0';
const TUNNELLED = `
version: 1
hosts: { wintermute: {} }
deployments:
  far: { host: wintermute, engine: vllm, task: chat, model: example/far, image: ${IMAGE}, gpu: none }
providers:
  nearby: { baseUrl: http://127.0.0.1:8001/v1, models: { fast: { model: near } } }
roles:
  chat-fast: { task: chat, targets: [{ deployment: far }, { provider: nearby, model: fast }] }
  chat-far: { task: chat, targets: [{ deployment: far }] }
`;

/** Without an address: it is where its host's link comes from. */
const DIRECT = `
version: 1
hosts: { wintermute: {} }
deployments:
  far:
    { host: wintermute, engine: vllm, task: chat, model: example/far, image: ${IMAGE}, gpu: none, reach: direct, port: 8001 }
roles:
  chat-far: { task: chat, targets: [{ deployment: far }] }
`;

/** Of the agent, where nothing is set. */
const CADENCE_MS = 2_000;
/** The history tells times of samples to the second. */
const SECOND_MS = 1_000;

interface Host {
  readonly presence: string;
  readonly presenceSinceMs: number;
  readonly lastSeenMs: number;
  readonly goodbyeReason: string | null;
}

describeReal('on a LAN of several machines', [networkNamespaces], () => {
  let fabric: LanFabric | null = null;

  const closeFabric = async () => {
    await fabric?.close();
    fabric = null;
  };

  describe('a cable that is cut for half a minute', () => {
    afterEach(closeFabric);

    it('makes its host late, then away, then online, without a hole in its telemetry', async () => {
      fabric = new LanFabric('10.77.0.1/24');
      const wintermute = fabric.lan.addHost('10.77.0.2/24');
      await fabric.startControlPlane(['10.77.0.1', '127.0.0.1']);
      const agent = await fabric.startAgent(wintermute, 'wintermute', 'https://10.77.0.1:8443');
      await untilPresence(fabric, 'online', 45_000);
      const reported = async () => (await reportedTimes(fabric as LanFabric)).length >= 3;
      await eventually('it has reported for a while', reported, 45_000);

      fabric.lan.cut(wintermute);
      const cutAtMs = Date.now();
      expectSilence(await untilPresence(fabric, 'late', 40_000), 12_000);
      const away = await untilPresence(fabric, 'away', 45_000);
      expectSilence(away, 30_000);
      expect(away.goodbyeReason).toBeNull();

      fabric.lan.mend(wintermute);
      const mendedAtMs = Date.now();
      await untilPresence(fabric, 'online', 45_000);
      const filledIn = async () =>
        longestHoleMs(await reportedTimes(fabric as LanFabric), cutAtMs - CADENCE_MS, mendedAtMs) <=
        3 * CADENCE_MS + SECOND_MS;
      await eventually('the stretch without a link is filled in', filledIn, 45_000).catch(
        async (error: unknown) => {
          const times = await reportedTimes(fabric as LanFabric);
          throw new Error(`steps between samples: ${steps(times).join(' ')}\n${agent.output}`, {
            cause: error,
          });
        },
      );
    });
  });

  describe('a tunnel behind a cable that is cut', () => {
    let folder: TemporaryDirectory | null = null;
    let engine: DockerEngineSimulator | null = null;
    let near: LanEngine | null = null;

    afterEach(async () => {
      await closeFabric();
      await engine?.close();
      await near?.kill();
      folder?.remove();
    });

    it('ends its streams with an error, sends others elsewhere or holds them, and comes back', {
      timeout: 150_000,
    }, async () => {
      fabric = new LanFabric('10.77.0.1/24');
      fabric.useFabric(TUNNELLED);
      const { motoko } = fabric;
      const wintermute = fabric.lan.addHost('10.77.0.2/24');
      folder = temporaryDirectory();
      engine = await startDockerEngine({
        path: join(folder.path, 'docker.sock'),
        registry: [{ reference: IMAGE, start: lanEngineProgram(wintermute, { tokensPerSecond: 50 }) }],
      });
      near = new LanEngine(motoko, ['--model', 'near'], {}, { port: 8_001 });
      await fabric.startControlPlane(['10.77.0.1', '127.0.0.1']);
      const agent = await fabric.startAgent(wintermute, 'wintermute', 'https://10.77.0.1:8443', {
        AI_FABRIC_AGENT_CONTAINER_ENGINE: `unix://${engine.path}`,
      });
      const chat = (model: string, more: object = {}) => {
        const messages = [{ role: 'user', content: 'Hello' }];
        return askFrom(motoko, {
          url: 'http://127.0.0.1:8000/v1/chat/completions',
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ model, messages, max_tokens: 4, ...more }),
          timeoutMs: 60_000,
        });
      };
      const answersByFar = async () => (await chat('chat-far')).status === 200;
      await eventually('it answers', answersByFar, 45_000).catch((cause: unknown) => {
        throw new Error(agent.output, { cause });
      });

      const stream = chat('chat-fast', { stream: true, max_tokens: 3_000 });
      const metrics = async () => (await askFrom(motoko, { url: 'http://127.0.0.1:8000/metrics' })).body;
      await eventually('the stream has begun', async () =>
        /^ai_fabric_tunnel_streams\{host="wintermute"\} 1$/m.test(await metrics()),
      );
      fabric.lan.cut(wintermute);
      const [elsewhere, held] = [chat('chat-fast'), chat('chat-far')];
      const cutOff = await stream;
      expect(cutOff.status).toBe(200);
      expect(cutOff.body).toContain('"code":"upstream_interrupted"');
      expect(cutOff.body).not.toContain('[DONE]');
      expect(JSON.parse((await elsewhere).body)).toMatchObject({ model: 'near' });
      expect(await metrics()).toMatch(/^ai_fabric_tunnels_open 0$/m);

      fabric.lan.mend(wintermute);
      const answer = await held;
      expect(answer.status, `${answer.body}\n${agent.output}`).toBe(200);
      expect(JSON.parse(answer.body)).toMatchObject({ model: 'far' });
      expect(await metrics()).toMatch(/^ai_fabric_tunnels_open 1$/m);
      await untilPresence(fabric, 'online', 20_000);
    });
  });

  describe('a replica that is reached directly, of which no address is declared', () => {
    let folder: TemporaryDirectory | null = null;
    let engine: DockerEngineSimulator | null = null;

    afterEach(async () => {
      await closeFabric();
      await engine?.close();
      folder?.remove();
    });

    it('is asked where its host’s link comes from, and is open there alone, with its key', {
      timeout: 120_000,
    }, async () => {
      fabric = new LanFabric('10.77.0.1/24');
      fabric.useFabric(DIRECT);
      const { motoko } = fabric;
      const wintermute = fabric.lan.addHost('10.77.0.2/24', '10.77.0.22/24');
      const neighbour = fabric.lan.addHost('10.77.0.3/24');
      folder = temporaryDirectory();
      engine = await startDockerEngine({
        path: join(folder.path, 'docker.sock'),
        registry: [{ reference: IMAGE, start: lanEngineProgram(wintermute, {}) }],
      });
      await fabric.startControlPlane(['10.77.0.1', '127.0.0.1']);
      const agent = await fabric.startAgent(wintermute, 'wintermute', 'https://10.77.0.1:8443', {
        AI_FABRIC_AGENT_CONTAINER_ENGINE: `unix://${engine.path}`,
      });
      const chat = () =>
        askFrom(motoko, {
          url: 'http://127.0.0.1:8000/v1/chat/completions',
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'chat-far', messages: [{ role: 'user', content: 'Hello' }] }),
          timeoutMs: 60_000,
        });
      const answers = async () => (await chat()).status === 200;
      await eventually('it answers', answers, 45_000).catch((cause: unknown) => {
        throw new Error(agent.output, { cause });
      });

      expect(engine.containers.map(({ wish }) => wish.ports)).toMatchObject([
        [{ hostAddress: '10.77.0.2', hostPort: 8_001 }],
      ]);
      const models = (address: string) => askFrom(neighbour, { url: `http://${address}:8001/v1/models` });
      expect((await models('10.77.0.2')).status).toBe(401);
      expect((await models('10.77.0.22')).status).toBe('ECONNREFUSED');
      const shown = JSON.parse((await fabric.api('/hosts/wintermute')).body) as { peerAddress: string };
      expect(shown.peerAddress).toBe('10.77.0.2');
      const doctor = await fabric.api('/checks/doctor', {});
      expect(doctor.body).toContain('is ready: a token was proven');
      expect(doctor.body).not.toContain('address_unknown');
    });
  });

  describe('an address of the control plane that is not there yet', () => {
    afterEach(closeFabric);

    it.each([
      ['beside one that is', ['10.77.0.1', '127.0.0.1']],
      ['alone', ['10.77.0.1']],
    ])('is waited for, %s, and served as soon as it comes up', async (_where, addresses) => {
      fabric = new LanFabric();
      const { lan, motoko } = fabric;
      const client = lan.addHost('10.77.0.3/24');
      const program = fabric.runControlPlane(addresses);
      await eventually('it says that it waits', () => program.output.includes('waiting for it'), 45_000);
      const url = 'http://10.77.0.1:8000/healthz';
      expect((await askFrom(client, { url })).status).toBe('EHOSTUNREACH');
      expect(program.running).toBe(true);

      lan.addAddress(motoko, '10.77.0.1/24');

      const served = async () => (await askFrom(client, { url })).status === 200;
      await eventually('it serves the new address', served, 30_000);
      expect(program.output).toContain('address is there; listening');
      // They look for it where it said that it answers.
      await eventually('its TLS port is open too', () =>
        program.output.includes('"port":8443,"msg":"address is there'),
      );
      await fabric.operate('hosts', '--json');
    });
  });

  describe('trust by address', () => {
    let client: LanHost;
    let ofTailnetAlone: LanHost;

    beforeAll(async () => {
      fabric = new LanFabric('10.77.0.1/24', '10.88.0.1/24', '100.64.7.1/10');
      client = fabric.lan.addHost('10.77.0.4/24', '100.64.7.4/10');
      ofTailnetAlone = fabric.lan.addHost('100.64.7.9/10');
      fabric.lan.addRoute(ofTailnetAlone, '10.88.0.0/24');
      await fabric.startControlPlane(['0.0.0.0']);
    });
    afterAll(closeFabric);

    const askModels = (host: LanHost, address: string, headers: Record<string, string> = {}) =>
      askFrom(host, { url: `http://${address}:8000/v1/models`, headers });

    it('answers whoever comes over the LAN without a key with 401', async () => {
      const reply = await askModels(client, '10.77.0.1');
      expect(reply.status).toBe(401);
      expect(JSON.parse(reply.body)).toMatchObject({ error: { code: 'invalid_api_key' } });
    });

    it('serves whoever comes over the tailnet', async () => {
      const reply = await askModels(client, '100.64.7.1');
      expect(reply.status).toBe(200);
      expect(reply.body).toContain('chat-fast');
    });

    it('serves its own machine', async () => {
      expect((await askModels(onMotoko(), '127.0.0.1')).status).toBe(200);
    });

    it('does not believe a tailnet address that comes in by another address than the tailnet', async () => {
      expect((await askModels(ofTailnetAlone, '100.64.7.1')).status).toBe(200);
      expect((await askModels(ofTailnetAlone, '10.88.0.1')).status).toBe(401);
    });

    it('does not believe who was forwarded', async () => {
      const reply = await askModels(client, '100.64.7.1', { 'x-forwarded-for': '100.64.7.4' });
      expect(reply.status).toBe(401);
    });

    it('opens the control API to nobody over the network in clear', async () => {
      const headers = fabric?.adminHeaders() ?? {};
      for (const address of ['10.77.0.1', '100.64.7.1']) {
        const url = `http://${address}:8000/api/v1/hosts`;
        expect((await askFrom(client, { url, headers })).status).toBe(404);
      }
      expect((await fabric?.api('/hosts'))?.status).toBe(200);
    });

    function onMotoko(): LanHost {
      if (fabric === null) throw new Error('the fabric is not there');
      return fabric.motoko;
    }
  });
});

async function untilPresence(fabric: LanFabric, presence: string, deadlineMs: number): Promise<Host> {
  let host: Host | undefined;
  const look = async () => {
    host = JSON.parse((await fabric.api('/hosts/wintermute')).body) as Host;
    return host.presence === presence;
  };
  await eventually(`wintermute is ${presence}`, look, deadlineMs);
  if (host === undefined) throw new Error('wintermute was never looked at');
  return host;
}

async function reportedTimes(fabric: LanFabric): Promise<readonly number[]> {
  return sampleTimes(async (path) => JSON.parse((await fabric.api(path)).body), 'wintermute', '5m');
}

/** The state was entered when the last sign of life was that old. */
function expectSilence(host: Host, afterMs: number): void {
  const silentForMs = host.presenceSinceMs - host.lastSeenMs;
  expect(silentForMs).toBeGreaterThanOrEqual(afterMs - 500);
  expect(silentForMs).toBeLessThan(afterMs + 4_000);
}

/** The longest stretch without a sample between two times, both ends included. */
function longestHoleMs(times: readonly number[], fromMs: number, toMs: number): number {
  const inside = times.filter((atMs) => atMs > fromMs && atMs < toMs);
  return Math.max(...steps([fromMs, ...inside, toMs]));
}

function steps(times: readonly number[]): number[] {
  return times.slice(1).map((atMs, index) => atMs - (times[index] ?? atMs));
}
