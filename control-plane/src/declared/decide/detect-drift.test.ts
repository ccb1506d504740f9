import { describeReplica, type ReplicaStatus } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { checkFabricValue } from '../check-fabric-value.js';
import { detectDrift, type ObservedHost } from './detect-drift.js';

const deployment = { task: 'chat', engine: 'external', url: 'http://a:8000', servedModel: 'q' };
const check = checkFabricValue({
  version: 1,
  hosts: { armitage: {}, motoko: {} },
  deployments: {
    qwen: { ...deployment, host: 'armitage', contextTokens: 8192 },
    phi: { ...deployment, host: 'motoko' },
  },
});
if (!check.ok) throw new Error(JSON.stringify(check.findings));
const declared = check.state;

const ready = describeReplica({
  ...{ deployment: 'qwen', phase: 'ready', engineVersion: '0.32.0', maxModelLen: 8192 },
});
const motoko = host('motoko', { replicas: new Map([['phi', { ...ready, deployment: 'phi' }]]) });

function host(name: string, more: Partial<ObservedHost> = {}): ObservedHost {
  return { name, joined: true, present: true, replicas: new Map(), undeclared: [], ...more };
}

function armitage(status: Partial<ReplicaStatus>): ObservedHost {
  return host('armitage', { replicas: new Map([['qwen', { ...ready, ...status }]]) });
}

function codes(...hosts: readonly ObservedHost[]): (string | null)[][] {
  return detectDrift(declared, hosts).map(({ host: name, code, deployment: of }) => [name, code, of]);
}

describe('drift of hosts', () => {
  it('is none where everything is as declared', () => {
    expect(codes(armitage({}), motoko)).toEqual([]);
    expect(codes(armitage({ maxModelLen: 32_768 }), motoko)).toEqual([]);
    expect(codes(armitage({ maxModelLen: null }), motoko)).toEqual([]);
  });

  it('is none for a host that is away, whatever it last reported', () => {
    expect(codes(host('armitage', { present: false, undeclared: ['old'] }), motoko)).toEqual([]);
  });

  it('is a host that never joined, and one that is not declared', () => {
    expect(codes(motoko, host('zero'), host('armitage', { joined: false, present: false }))).toEqual([
      ['armitage', 'host_never_joined', null],
      ['zero', 'host_not_declared', null],
    ]);
  });

  it('is a replica that is not reported, not ready, or has a smaller context than declared', () => {
    expect(codes(host('armitage'), motoko)).toEqual([['armitage', 'replica_not_reported', 'qwen']]);
    const failed = armitage({ phase: 'failed', detail: 'serves another model' });
    expect(codes(failed, motoko)).toEqual([['armitage', 'replica_not_ready', 'qwen']]);
    expect(detectDrift(declared, [failed])[0]?.message).toBe('"qwen" is failed: serves another model');
    expect(detectDrift(declared, [armitage({ maxModelLen: 4096 })])).toMatchObject([
      { code: 'context_smaller', declared: '8192', observed: '4096' },
    ]);
  });

  it('is a replica of something that is not declared there', () => {
    const found = detectDrift(declared, [{ ...armitage({}), undeclared: ['phi', 'left-over'] }]);
    expect(found).toMatchObject([
      { code: 'replica_not_declared', deployment: 'phi', declared: 'motoko', observed: 'armitage' },
      { code: 'replica_not_declared', deployment: 'left-over', declared: null },
    ]);
    expect(found.map(({ message }) => message)).toEqual([
      expect.stringContaining('it is declared on "motoko"'),
      expect.stringContaining('no such deployment is declared'),
    ]);
  });
});
