import { describe, expect, it } from 'vitest';
import { judgeProof, type ServiceSight } from './judge-proof.js';

const UP: ServiceSight = {
  ...{ active: true, processId: 7, restarts: 0, endpointProcessId: 7 },
  ...{ ready: { status: 200, reasons: [] }, absentAddresses: [], hasAddress: true, activeForMs: 900 },
};

describe('a service that was started', () => {
  it('is up when the process that systemd runs says where it answers, and is ready', () => {
    expect(judgeProof(UP)).toEqual({ kind: 'up', notes: [] });
  });

  it.each<[string, Partial<ServiceSight>]>([
    ['it does not run', { active: false }],
    ['it does not run', { processId: 0 }],
    ['it has not said yet where it answers', { endpointProcessId: null }],
    ['it has not said yet where it answers', { endpointProcessId: 6 }],
    ['it does not answer', { ready: null }],
    ['it is not ready: no declaration', { ready: { status: 503, reasons: ['no declaration'] } }],
    ['it is not ready: status 500', { ready: { status: 500, reasons: [] } }],
  ])('is waited for: %s', (why, seen) => {
    expect(judgeProof({ ...UP, ...seen })).toEqual({ kind: 'wait', why });
  });

  it('that ends again and again has failed, whatever else is seen of it', () => {
    expect(judgeProof({ ...UP, restarts: 2 })).toMatchObject({ kind: 'up' });
    expect(judgeProof({ ...UP, restarts: 3 })).toEqual({
      kind: 'failed',
      why: 'it ended 3 times soon after its start',
    });
  });

  it('is up while it waits for an address, and says for which', () => {
    const absentAddresses = ['100.64.0.1'];
    expect(judgeProof({ ...UP, absentAddresses })).toMatchObject({
      kind: 'up',
      notes: [expect.stringContaining('it waits for 100.64.0.1')],
    });
    const alone = { ...UP, absentAddresses, hasAddress: false, endpointProcessId: null, ready: null };
    expect(judgeProof(alone)).toMatchObject({ kind: 'wait' });
    expect(judgeProof({ ...alone, activeForMs: 5_000 })).toMatchObject({ kind: 'up' });
    expect(judgeProof({ ...alone, activeForMs: 5_000, restarts: 1 })).toMatchObject({ kind: 'wait' });
  });
});
