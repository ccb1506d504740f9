import { describeReplica, type ReplicaStatus } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { type DirectEngineFacts, findDirectEngine } from './find-direct-engine.js';

const CONTAINER = { id: 'abc', image: 'vllm', startedAtMs: null };
const status = (more: Partial<ReplicaStatus> = {}): ReplicaStatus =>
  describeReplica({ deployment: 'qwen', phase: 'ready', port: 8_001, directKey: 'its-key', ...more });

type Case = Omit<Partial<DirectEngineFacts>, 'deployment'> & Partial<DirectEngineFacts['deployment']>;

function find({ address = null, port = 8_001, ...more }: Case = {}) {
  const deployment = { address, port, host: 'armitage' };
  return findDirectEngine({ deployment, peerAddress: '192.168.1.20', status: status(), ...more });
}

describe('the way to an engine that is reached directly', () => {
  it.each<[string, Case, string]>([
    ['the address of the link', {}, 'http://192.168.1.20:8001'],
    ['an IPv6 address of the link', { peerAddress: '2001:db8::20' }, 'http://[2001:db8::20]:8001'],
    ['a declared address', { address: '100.64.0.7' }, 'http://100.64.0.7:8001'],
    ['a declared name', { address: 'armitage.lan' }, 'http://armitage.lan:8001'],
    ['a declared address without a link', { address: '10.0.0.1', peerAddress: null }, 'http://10.0.0.1:8001'],
    [
      'loopback, where that is declared',
      { address: '127.0.0.1', peerAddress: '127.0.0.1' },
      'http://127.0.0.1:8001',
    ],
    ['a declared IPv6 address', { address: '::1' }, 'http://[::1]:8001'],
  ])('is %s', (_, more, origin) => {
    expect(find(more)).toEqual({ known: true, origin, key: 'its-key' });
  });

  it.each<[string, Case, RegExp]>([
    ['loopback', { peerAddress: '127.0.0.1' }, /may be a proxy; declare/],
    ['loopback of IPv6', { peerAddress: '::1' }, /may be a proxy; declare/],
    ['an address of one link', { peerAddress: 'fe80::1%eth0' }, /no address of armitage is known; declare/],
    ['an address of one link, without a zone', { peerAddress: 'fe80::1' }, /no address/],
    ['an address of its own making', { peerAddress: '169.254.1.1' }, /no address/],
    ['no address', { peerAddress: '0.0.0.0' }, /no address/],
    ['no address of IPv6', { peerAddress: '::' }, /no address/],
    ['nowhere', { peerAddress: null }, /no address/],
    ['who knows where', { peerAddress: 'unknown' }, /no address/],
    ['what could be another host', { peerAddress: 'evil.example/' }, /no address/],
  ])('is not known where its link comes from %s', (_, more, detail) => {
    expect(find(more)).toEqual({ known: false, detail: expect.stringMatching(detail) });
  });

  it.each<[string, Case, RegExp]>([
    ['says nothing', { status: undefined }, /tells of no port yet/],
    ['tells of no port', { status: status({ port: null }) }, /tells of no port yet/],
    ['tells of another port', { status: status({ port: 8_443 }) }, /port 8443 of armitage, declared is 8001/],
    ['has not told the key', { status: status({ directKey: null }) }, /has not told the key/],
  ])('is not known while its agent %s', (_, more, detail) => {
    expect(find(more)).toEqual({ known: false, detail: expect.stringMatching(detail) });
  });

  it('needs no key where somebody else made the container', () => {
    const adopted = status({ directKey: null, container: { ...CONTAINER, adopted: true } });
    expect(find({ status: adopted })).toMatchObject({ known: true, key: null });
    const own = status({ directKey: null, container: { ...CONTAINER, adopted: false } });
    expect(find({ status: own }).known).toBe(false);
  });
});
