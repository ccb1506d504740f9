import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inventory } from '../live/testing/live-fixtures.js';
import { TestApi } from './testing/test-api.js';

let api: TestApi;
const call: TestApi['call'] = (...args) => api.call(...args);

beforeEach(() => {
  api = new TestApi();
  api.installs.version = '0.2.0';
  linked('0.1.0');
});
afterEach(() => api.remove());

function linked(agentVersion: string): void {
  const host = { hostId: 'h1', name: 'armitage', peerAddress: '192.0.2.1', draining: false };
  const told = { commit: 'ab'.repeat(20), packaged: true, protocolVersion: 6 };
  api.live.hostLinked({ ...host, ...told, agentVersion });
}

const offer = (host = 'armitage') => call('POST', `/hosts/${host}/offer-upgrade`);

describe('a newer agent', () => {
  test('is offered, and what the agent said is told', async () => {
    api.hostCalls.outcome = { result: 'done', code: null, detail: null };
    expect(await offer()).toMatchObject({
      status: 200,
      body: {
        ...{ host: 'armitage', from: '0.1.0', version: '0.2.0', answer: 'done', code: null, detail: null },
      },
    });
    expect(api.hostCalls.offered).toEqual([
      { host: 'armitage', version: '0.2.0', manifestSha256: 'cd'.repeat(32) },
    ]);
    const { body: audit } = await call('GET', '/audit?operationId=offerUpgrade');
    expect(audit.items).toHaveLength(1);
  });

  test('that the owner wants none of is an answer like another', async () => {
    api.hostCalls.outcome = { result: 'refused', code: 'upgrades_off', detail: 'upgrades are off' };
    expect(await offer()).toMatchObject({ status: 200, body: { answer: 'refused', code: 'upgrades_off' } });
  });

  test('is not offered where nobody hears it, or answers', async () => {
    expect(await offer()).toMatchObject({ status: 409, body: { code: 'host_away' } });
    expect(await offer('motoko')).toMatchObject({ status: 404 });
    api.hostCalls.outcome = { result: 'expired', code: null, detail: null };
    expect(await offer()).toMatchObject({ status: 504, body: { code: 'host_unanswered' } });
    api.hostCalls.tooOld = true;
    expect(await offer()).toMatchObject({
      status: 502,
      body: { code: 'host_failed', fix: expect.stringContaining('ai-fabric token create --host armitage') },
    });
  });

  test.each([
    ['0.2.0', 'runs that version'],
    ['0.3.0-rc.1', 'is newer'],
    ['1.0.0', 'is newer'],
  ])('is none for an agent of %s: it %s', async (agentVersion, what) => {
    linked(agentVersion);
    const { status, body } = await offer();
    expect([status, body.code]).toEqual([409, 'not_newer']);
    expect(body.detail).toContain(what);
    expect(api.hostCalls.offered).toEqual([]);
  });

  test('is not offered where none lies here, or none for the host’s system', async () => {
    api.live.takeReport('armitage', {
      ...{ clockSkewMs: 0, samples: [] },
      inventory: { ...inventory, os: 'windows' },
    });
    expect(await offer()).toMatchObject({
      status: 409,
      body: { code: 'no_release', detail: expect.stringContaining('windows') },
    });
    api.installs.version = null;
    expect(await offer()).toMatchObject({ status: 409, body: { code: 'no_release' } });
    expect(api.hostCalls.offered).toEqual([]);
  });
});

describe('a host', () => {
  test('is shown with its agent, the newer one that there is, and how far an upgrade is', async () => {
    const upgrade = { phase: 'offered', version: '0.2.0', detail: 'its owner is to say yes' } as const;
    api.live.takeReport('armitage', { clockSkewMs: 0, samples: [], upgrade });
    const shown = {
      ...{ agentVersion: '0.1.0', agentCommit: 'ab'.repeat(20), agentPackaged: true, protocolVersion: 6 },
      ...{ newerAgent: '0.2.0', upgrade },
    };
    expect((await call('GET', '/hosts/armitage')).body).toMatchObject(shown);
    const { body } = await call('GET', '/hosts');
    expect(body.items[0]).toMatchObject({ name: 'armitage', ...shown });
  });
});

describe('a new join token', () => {
  test('comes with what is pasted on the host, where there is something to install', async () => {
    const { body } = await call('POST', '/join-tokens', {});
    expect(body.install).toEqual({ linux: `install with ${body.token}`, windows: null });
    api.installs.version = null;
    expect((await call('POST', '/join-tokens', {})).body.install).toBeNull();
  });
});
