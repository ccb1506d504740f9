import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describeReal, networkNamespaces } from '../harness/real-part.js';
import { sampleTimes } from '../harness/sample-times.js';
import { eventually } from '../simulators/common/eventually.js';
import type { LanHost } from './network/lan.js';
import { LanFabric } from './network/lan-fabric.js';
import { askFrom } from './network/lan-program.js';

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
      await untilPresence(fabric, 'online', 15_000);
      const reported = async () => (await reportedTimes(fabric as LanFabric)).length >= 3;
      await eventually('it has reported for a while', reported, 20_000);

      fabric.lan.cut(wintermute);
      const cutAtMs = Date.now();
      expectSilence(await untilPresence(fabric, 'late', 25_000), 12_000);
      const away = await untilPresence(fabric, 'away', 30_000);
      expectSilence(away, 30_000);
      expect(away.goodbyeReason).toBeNull();

      fabric.lan.mend(wintermute);
      const mendedAtMs = Date.now();
      const back = await untilPresence(fabric, 'online', 20_000);
      expect(back.presenceSinceMs - mendedAtMs).toBeLessThan(10_000);
      const filledIn = async () =>
        longestHoleMs(await reportedTimes(fabric as LanFabric), cutAtMs - CADENCE_MS, mendedAtMs) <=
        3 * CADENCE_MS + SECOND_MS;
      await eventually('the stretch without a link is filled in', filledIn, 15_000).catch(
        async (error: unknown) => {
          const times = await reportedTimes(fabric as LanFabric);
          throw new Error(`steps between samples: ${steps(times).join(' ')}\n${agent.output}`, {
            cause: error,
          });
        },
      );
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
      await eventually('it says that it waits', () => program.output.includes('waiting for it'), 20_000);
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
