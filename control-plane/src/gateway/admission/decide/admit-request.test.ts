import { describe, expect, it } from 'vitest';
import { gatewayKey } from '../../testing/test-gateway.js';
import { type AdmissionFacts, admitRequest } from './admit-request.js';
import { isForwarded } from './is-forwarded.js';
import { readBearer } from './read-bearer.js';

const ANONYMOUS = gatewayKey({ keyId: 'anonymous', name: 'anonymous' });
const TRUSTED: AdmissionFacts = {
  method: 'POST',
  host: 'motoko:8000',
  isOwnHost: true,
  pageOrigin: 'none',
  origin: undefined,
  isPreflight: false,
  isTrusted: true,
  isForwarded: false,
  bearer: 'none',
  anonymous: ANONYMOUS,
};
const UNTRUSTED: AdmissionFacts = { ...TRUSTED, isTrusted: false };
const ADMIN = gatewayKey({ name: 'admin' });

function codeOf(facts: AdmissionFacts): string {
  const verdict = admitRequest(facts);
  return verdict.kind === 'refused' ? verdict.error.code : verdict.kind;
}

describe('admitRequest', () => {
  it('lets whoever is trusted by address in as anonymous, with no bearer or one that is no key of ours', () => {
    for (const bearer of ['none', 'unknown'] as const) {
      expect(admitRequest({ ...TRUSTED, bearer })).toEqual({
        kind: 'admitted',
        key: ANONYMOUS,
        corsOrigin: null,
      });
    }
  });

  it('lets nobody else in without a key', () => {
    expect(codeOf(UNTRUSTED)).toBe('invalid_api_key');
    expect(codeOf({ ...UNTRUSTED, bearer: 'unknown' })).toBe('invalid_api_key');
    expect(codeOf({ ...UNTRUSTED, isForwarded: true })).toBe('invalid_api_key');
  });

  it('lets a key in from anywhere, under its name', () => {
    expect(admitRequest({ ...UNTRUSTED, bearer: ADMIN })).toMatchObject({ kind: 'admitted', key: ADMIN });
    expect(admitRequest({ ...TRUSTED, bearer: ADMIN })).toMatchObject({ kind: 'admitted', key: ADMIN });
  });

  it('refuses a revoked or expired key even where none is needed', () => {
    expect(codeOf({ ...TRUSTED, bearer: 'revoked' })).toBe('invalid_api_key');
    expect(codeOf({ ...TRUSTED, bearer: 'expired' })).toBe('invalid_api_key');
  });

  it('refuses a foreign host and a foreign page before it looks at any key', () => {
    expect(codeOf({ ...TRUSTED, isOwnHost: false, bearer: ADMIN })).toBe('host_not_allowed');
    expect(codeOf({ ...TRUSTED, pageOrigin: 'foreign', origin: 'https://evil.test', bearer: ADMIN })).toBe(
      'origin_not_allowed',
    );
    const foreign = admitRequest({ ...TRUSTED, pageOrigin: 'foreign', origin: 'https://evil.test' });
    expect(foreign).toMatchObject({ corsOrigin: null });
  });

  it('gives an allowed page what it needs to read the answer, a refusal too', () => {
    const page = { pageOrigin: 'allowed', origin: 'app://obsidian.md' } as const;
    expect(admitRequest({ ...TRUSTED, ...page })).toMatchObject({
      kind: 'admitted',
      corsOrigin: 'app://obsidian.md',
    });
    expect(admitRequest({ ...UNTRUSTED, ...page })).toMatchObject({
      kind: 'refused',
      corsOrigin: 'app://obsidian.md',
    });
  });

  it('answers the preflight of an allowed page, which carries no key, from anywhere', () => {
    const page = { pageOrigin: 'allowed', origin: 'app://obsidian.md', isPreflight: true } as const;
    expect(admitRequest({ ...UNTRUSTED, ...page })).toEqual({
      kind: 'preflight',
      corsOrigin: 'app://obsidian.md',
    });
    expect(
      codeOf({ ...UNTRUSTED, isPreflight: true, pageOrigin: 'foreign', origin: 'https://evil.test' }),
    ).toBe('origin_not_allowed');
  });

  it('says in a refusal what is wrong and how to mend it', () => {
    const verdict = admitRequest({ ...TRUSTED, isOwnHost: false, host: 'evil.test' });
    expect(verdict).toMatchObject({
      error: { message: expect.stringContaining('"evil.test"') },
    });
    expect(verdict).toMatchObject({ error: { message: expect.stringContaining('gateway.extraHosts') } });
  });
});

describe('isForwarded', () => {
  it.each([
    'forwarded',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded',
    'via',
    'x-real-ip',
    'cf-connecting-ip',
  ])('is told by %s', (name) => {
    expect(isForwarded({ host: 'motoko', [name]: '' })).toBe(true);
  });

  it('is not told by what clients send themselves', () => {
    expect(isForwarded({ host: 'a', 'user-agent': 'x', 'x-request-id': 'y', 'x-stainless-os': 'z' })).toBe(
      false,
    );
  });
});

describe('readBearer', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer   abc ', 'abc'],
    ['Bearer', null],
    ['Bearer ', null],
    ['Basic abc', null],
    ['Bearer a b', null],
    ['', null],
    [undefined, null],
  ])('reads %j as %j', (header, token) => {
    expect(readBearer(header)).toBe(token);
  });
});
