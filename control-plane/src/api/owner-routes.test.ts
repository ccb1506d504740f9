import type { OwnerReport } from '@ai-fabric/shared';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestApi } from './testing/test-api.js';

let api: TestApi;
const call: TestApi['call'] = (...args) => api.call(...args);

beforeEach(() => {
  api = new TestApi();
  api.live.hostLinked({
    ...{ hostId: 'h1', name: 'armitage', agentVersion: '0.1.0', peerAddress: '192.0.2.1', draining: false },
  });
});
afterEach(() => api.remove());

const DONE = { result: 'done', code: null, detail: null } as const;

describe('the cards of a host', () => {
  test.each(['yield', 'unyield'] as const)('are asked for with %s, which its agent is told', async (verb) => {
    api.hostCalls.outcome = DONE;
    const { status, body } = await call('POST', `/hosts/armitage/${verb}`);
    expect([status, body.name]).toEqual([200, 'armitage']);
    expect(api.hostCalls.told).toEqual([`${verb} armitage`]);
    const { body: audit } = await call('GET', `/audit?operationId=${verb}Host`);
    expect(audit.items).toHaveLength(1);
  });

  test('are not asked for where nobody can be told', async () => {
    expect(await call('POST', '/hosts/armitage/yield')).toMatchObject({
      status: 409,
      body: { code: 'host_away' },
    });
    expect(await call('POST', '/hosts/motoko/yield')).toMatchObject({ status: 404 });
    expect(await call('POST', '/hosts/nobody/yield')).toMatchObject({ status: 404 });
  });

  test('are not asked for of an agent that is too old, or that does not do it', async () => {
    api.hostCalls.tooOld = true;
    expect((await call('POST', '/hosts/armitage/yield')).body).toMatchObject({
      code: 'host_failed',
      detail: expect.stringContaining('too old'),
    });
    api.hostCalls.tooOld = false;
    api.hostCalls.outcome = { result: 'failed', code: 'internal', detail: 'disk full' };
    expect((await call('POST', '/hosts/armitage/yield')).body.detail).toContain('internal: disk full');
    api.hostCalls.outcome = { result: 'expired', code: null, detail: null };
    expect(await call('POST', '/hosts/armitage/yield')).toMatchObject({ status: 504 });
  });

  test('are shown with whose they are', async () => {
    const owner: OwnerReport = {
      ...{ state: 'yielded', cause: 'foreign_use', detail: 'game.exe uses a card.', stateSeconds: 60 },
      ...{ freedSeconds: 3.4, foreignVramBytes: 5e9, foreignUtilisationRatio: 0.9, present: true },
      ...{ remoteSession: false, processes: ['game.exe'] },
    };
    api.live.takeReport('armitage', {
      ...{ clockSkewMs: 0, samples: [] },
      owner,
    });
    const { body } = await call('GET', '/hosts/armitage');
    expect(body.owner).toEqual(owner);
    expect(body.ownerSinceMs).toBe(api.clock.nowMs() - 60_000);
  });
});
