import { describe, expect, it } from 'vitest';
import { type Applicant, type HostFacts, judgeEnrolment, type TokenFacts } from './judge-enrolment.js';

const NOW = 1_000_000;
const applicant: Applicant = {
  hostName: 'armitage',
  publicKey: 'key-1',
  machineSha256: 'machine-1',
  keyRefused: false,
  nameIsLinked: false,
  nowMs: NOW,
};
const token: TokenFacts = {
  secretMatches: true,
  hostName: null,
  expiresAtMs: NOW + 1,
  usedAtMs: null,
  usedByHostId: null,
  revokedAtMs: null,
  replacesHostId: null,
};
const host: HostFacts = {
  hostId: 'h1',
  name: 'armitage',
  publicKey: 'key-1',
  machineSha256: 'machine-1',
  revoked: false,
};

describe('a host that comes with a token', () => {
  it.each([
    ['no such token', null, 'token_unknown'],
    ['a wrong secret', { secretMatches: false }, 'token_unknown'],
    ['a wrong secret of a used token', { secretMatches: false, usedAtMs: 1 }, 'token_unknown'],
    ['a used token', { usedAtMs: 1, usedByHostId: 'h9' }, 'token_used'],
    ['a revoked token', { revokedAtMs: 1 }, 'token_unknown'],
    ['a token that expires now', { expiresAtMs: NOW }, 'token_expired'],
    ['a token for another name', { hostName: 'motoko' }, 'token_unknown'],
  ] as const)('is refused with %s', (_, differing, reason) => {
    const facts = differing === null ? null : { ...token, ...differing };
    expect(judgeEnrolment(applicant, facts, null, null)).toMatchObject({ kind: 'refuse', reason });
  });

  it('is added when neither its name nor its key was here', () => {
    expect(judgeEnrolment(applicant, token, null, null)).toEqual({ kind: 'add' });
    expect(judgeEnrolment(applicant, { ...token, hostName: 'armitage' }, null, null)).toEqual({
      kind: 'add',
    });
  });

  it('takes up its old identity when its machine joins again with a new key', () => {
    const byName = { ...host, publicKey: 'key-0' };
    expect(judgeEnrolment(applicant, token, byName, null)).toEqual({ kind: 'renew', hostId: 'h1' });
  });

  it('waits, with a new key, until the linked host of its name was asked whether it lives', () => {
    const linked = { ...applicant, nameIsLinked: true };
    const byName = { ...host, publicKey: 'key-0' };
    expect(judgeEnrolment(linked, token, byName, null)).toEqual({ kind: 'ask_first', hostId: 'h1' });
    expect(judgeEnrolment(linked, { ...token, replacesHostId: 'h1' }, byName, null).kind).toBe('renew');
    expect(judgeEnrolment(linked, token, host, host).kind).toBe('renew');
    expect(judgeEnrolment(linked, { ...token, expiresAtMs: NOW }, byName, null)).toMatchObject({
      reason: 'token_expired',
    });
    const elsewhere = { ...byName, machineSha256: 'machine-0' };
    expect(judgeEnrolment(linked, token, elsewhere, null)).toMatchObject({ reason: 'name_taken' });
  });

  it('takes up its old identity when it joins again under another name', () => {
    const byKey = { ...host, name: 'armitage-old' };
    expect(judgeEnrolment(applicant, token, null, byKey)).toEqual({ kind: 'renew', hostId: 'h1' });
  });

  it('is refused the name of another machine', () => {
    const byName = { ...host, publicKey: 'key-0', machineSha256: 'machine-0' };
    expect(judgeEnrolment(applicant, token, byName, null)).toMatchObject({
      kind: 'refuse',
      reason: 'name_taken',
    });
  });

  it('is refused the name of another host on its own machine', () => {
    const byName = { ...host, hostId: 'h2', publicKey: 'key-0' };
    const byKey = { ...host, name: 'other' };
    expect(judgeEnrolment(applicant, token, byName, byKey)).toMatchObject({
      kind: 'refuse',
      reason: 'name_taken',
    });
  });

  it('is refused with the key of a host on another machine, as after copying a disk', () => {
    const byKey = { ...host, name: 'motoko', machineSha256: 'machine-0' };
    expect(judgeEnrolment(applicant, token, null, byKey)).toMatchObject({
      kind: 'refuse',
      reason: 'machine_mismatch',
    });
  });

  it('is answered the same again when the first answer was lost', () => {
    const used = { ...token, usedAtMs: 1, usedByHostId: 'h1', expiresAtMs: 2 };
    expect(judgeEnrolment(applicant, used, host, host)).toEqual({ kind: 'repeat', hostId: 'h1' });
  });

  it.each([
    ['another key', { publicKey: 'key-2' }, host, null],
    ['another name', { hostName: 'other' }, null, host],
    ['another machine', { machineSha256: 'machine-2' }, host, host],
  ])('is not answered again with %s', (_, differing, byName, byKey) => {
    const used = { ...token, usedAtMs: 1, usedByHostId: 'h1' };
    const verdict = judgeEnrolment({ ...applicant, ...differing }, used, byName, byKey);
    expect(verdict).toMatchObject({ kind: 'refuse', reason: 'token_used' });
  });
});
