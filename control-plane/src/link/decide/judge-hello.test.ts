import { formatJoinToken } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { type HelloFacts, judgeHello } from './judge-hello.js';

const certificateSha256 = 'cd'.repeat(32);
const machineSha256 = 'ab'.repeat(32);
const token = { id: 'k3v9x2mq', secret: 's'.repeat(43), certificateSha256 };
const enrolled = { hostId: 'h1', hostName: 'motoko', draining: true, machineSha256 };
const hello: HelloFacts['hello'] = {
  protocolVersion: 1,
  agentVersion: '0.1.0',
  publicKey: 'k',
  proof: 'p',
  hostName: 'motoko',
  machineSha256,
  bootId: 'b',
  instanceId: 'i',
};
const facts: HelloFacts = { hello, proofHolds: true, certificateSha256, enrolled: undefined };
const withToken = { ...hello, joinToken: formatJoinToken(token) };

describe('a hello', () => {
  it('of a known key on its machine is that host, under the name it has here', () => {
    const renamed = { ...hello, hostName: 'another' };
    expect(judgeHello({ ...facts, hello: renamed, enrolled })).toEqual({
      kind: 'known',
      identity: { hostId: 'h1', hostName: 'motoko', draining: true },
    });
  });

  it('of a known key needs no token, and does not spend the one it brings', () => {
    expect(judgeHello({ ...facts, hello: withToken, enrolled }).kind).toBe('known');
  });

  it('of an unknown key with a token enrols', () => {
    expect(judgeHello({ ...facts, hello: withToken })).toEqual({ kind: 'enrol', token });
  });

  it('of a known key from another machine may enrol with a token', () => {
    const moved = { ...withToken, machineSha256: 'ff'.repeat(32) };
    expect(judgeHello({ ...facts, hello: moved, enrolled }).kind).toBe('enrol');
  });

  it.each([
    [
      'an older protocol',
      { hello: { ...hello, protocolVersion: 0 }, enrolled },
      'protocol_too_old',
      'upgrade the agent',
    ],
    ['a proof that does not hold', { proofHolds: false, hello: withToken }, 'proof_failed', 'proof'],
    [
      'a known key on another machine',
      { hello: { ...hello, machineSha256: 'ff'.repeat(32) }, enrolled },
      'machine_mismatch',
      'join again with a new token',
    ],
    ['an unknown key', {}, 'unknown_host', 'ai-fabric token create'],
    [
      'a revoked key, whatever token it brings',
      { enrolled, hello: withToken, refusedKey: { hostName: 'motoko', reason: 'revoked' } },
      'revoked',
      'ai-fabric hosts re-enrol motoko',
    ],
    [
      'a key that another took the place of',
      { refusedKey: { hostName: 'motoko', reason: 'replaced' } },
      'revoked',
      'replaced by a newer one',
    ],
    ['a token that is none', { hello: { ...hello, joinToken: 'aifj_' } }, 'token_unknown', 'aifj_'],
    [
      'a token of another control plane',
      { hello: { ...hello, joinToken: formatJoinToken({ ...token, certificateSha256: 'ee'.repeat(32) }) } },
      'token_unknown',
      'another control plane',
    ],
  ] as const)('with %s is refused', (_, more, reason, detail) => {
    const verdict = judgeHello({ ...facts, ...more });
    expect(verdict).toMatchObject({ kind: 'refuse', reason });
    if (verdict.kind === 'refuse') {
      expect(verdict.detail).toContain(detail);
      expect(verdict.detail).not.toContain(token.secret);
    }
  });

  it('from a newer agent is heard', () => {
    expect(judgeHello({ ...facts, hello: { ...hello, protocolVersion: 99 }, enrolled }).kind).toBe('known');
  });
});
