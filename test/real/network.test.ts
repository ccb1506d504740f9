import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describeReal, networkNamespaces } from '../harness/real-part.js';
import { eventually } from '../simulators/common/eventually.js';
import type { LanHost } from './network/lan.js';
import { LanFabric } from './network/lan-fabric.js';
import { askFrom } from './network/lan-program.js';

describeReal('on a LAN of several machines', [networkNamespaces], () => {
  let fabric: LanFabric | null = null;

  const closeFabric = async () => {
    await fabric?.close();
    fabric = null;
  };

  describe('an address of the control plane that is not there yet', () => {
    afterEach(closeFabric);

    it.each([
      { where: 'beside one that is', addresses: ['10.77.0.1', '127.0.0.1'] },
      { where: 'alone', addresses: ['10.77.0.1'] },
    ])('is waited for, $where, and served as soon as it comes up', async ({ addresses }) => {
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
      await eventually('it serves the new address', served, 20_000);
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
