import { describeReplica, type ReplicaStatus } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { checkFabricValue } from '../../declared/check-fabric-value.js';
import type { VllmDeployment } from '../../declared/declared-state.js';
import type { LiveHost } from '../../live/live-view.js';
import { judgeKeptReplica, type KeptReplicaFacts } from './judge-kept-replica.js';

const checked = checkFabricValue({
  version: 1,
  hosts: { armitage: {} },
  deployments: { qwen: { host: 'armitage', engine: 'vllm', preset: 'chat-fast' } },
});
if (!checked.ok) throw new Error(JSON.stringify(checked.findings));
const declared = checked.state.deployments.get('qwen') as VllmDeployment;
const direct: VllmDeployment = { ...declared, reach: 'direct', port: 8001 };
const host = {
  ...{ name: 'armitage', presence: 'online', tunnelUp: true, peerAddress: '192.168.1.20' },
} as LiveHost;
const listening = { port: 8001, directKey: 'k'.repeat(43) };

function replica(phase: ReplicaStatus['phase'], more: Partial<ReplicaStatus> = {}) {
  const status = describeReplica({ deployment: 'qwen', phase, ...more });
  return { deployment: 'qwen', host: 'armitage', status, phaseSinceMs: 0, reading: null, readingAtMs: null };
}

function told(more: Partial<KeptReplicaFacts>): string[] {
  const facts = { deployment: declared, host, replica: replica('ready'), isExplained: false };
  return judgeKeptReplica({ ...facts, ...more }).map(({ severity, code }) => `${severity} ${code}`);
}

describe('a replica that an agent keeps', () => {
  it.each<[string, Partial<KeptReplicaFacts>, string[]]>([
    ['is ready', {}, ['ok replica']],
    ['was never told of', { replica: null }, ['warning replica_unseen']],
    ['loads', { replica: replica('loading') }, ['warning replica_not_ready']],
    ['failed', { replica: replica('failed', { code: 'vram_insufficient' }) }, ['error vram_insufficient']],
    ['ends again and again', { replica: replica('crash_looping') }, ['error crash_looping']],
    ['failed, as an issue says already', { replica: replica('failed'), isExplained: true }, []],
    ['is not reached', { host: { ...host, tunnelUp: false } }, ['ok replica', 'error tunnel_missing']],
    [
      'is not as declared',
      { replica: replica('ready', { drift: ['a', 'b'] }) },
      ['ok replica', 'warning replica_drift'],
    ],
    [
      'is stopped as declared, on a host without a tunnel',
      { ...wish('stopped'), replica: replica('absent'), host: { ...host, tunnelUp: false } },
      ['ok replica'],
    ],
    ['is parked as declared', { ...wish('parked'), replica: replica('parked') }, ['ok replica']],
    ['runs though it is to be stopped', { ...wish('stopped') }, ['warning replica_not_ready']],
    [
      'is reached directly, where its link comes from',
      { deployment: direct, host: { ...host, tunnelUp: false }, replica: replica('ready', listening) },
      ['ok replica'],
    ],
    [
      'is to be reached directly where its link comes from a proxy',
      {
        deployment: direct,
        host: { ...host, peerAddress: '127.0.0.1' },
        replica: replica('ready', listening),
      },
      ['ok replica', 'error address_unknown'],
    ],
    [
      'is to be reached directly at a port that it does not have',
      { deployment: direct, replica: replica('ready', { ...listening, port: 9000 }) },
      ['ok replica', 'error address_unknown'],
    ],
    [
      'is to be reached directly, and is not ready yet',
      { deployment: direct, replica: replica('loading') },
      ['warning replica_not_ready'],
    ],
  ])('that %s', (_, more, expected) => {
    expect(told(more)).toEqual(expected);
  });

  it('says of an address that nobody knows what is missing, and how to declare it', () => {
    const facts = { deployment: direct, replica: replica('ready', listening), isExplained: false };
    const [, finding] = judgeKeptReplica({ ...facts, host: { ...host, peerAddress: '127.0.0.1' } });
    expect(finding?.what).toMatch(/no request reaches it: the link of armitage comes from 127\.0\.0\.1/);
    expect(finding?.fix).toMatch(/ai-fabric deployments set qwen --address ADDRESS/);
  });

  it('says with each finding what mends it', () => {
    const facts = { deployment: declared, host: { ...host, tunnelUp: false }, isExplained: false };
    const findings = [replica('failed', { drift: ['port open to all'] }), replica('loading'), null].flatMap(
      (each) => judgeKeptReplica({ ...facts, replica: each }),
    );
    for (const { fix } of findings) expect(fix).toBeTruthy();
    expect(findings.map(({ fix }) => fix)).toContain(
      'see what its engine said: ai-fabric logs qwen --tail 200',
    );
  });
});

function wish(wished: VllmDeployment['wish']): Partial<KeptReplicaFacts> {
  return { deployment: { ...declared, wish: wished } };
}
