import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KEY_SECRET_PREFIX, type KeyPolicy, type NewKeySecret } from '../../registry/key-types.js';
import type { Registry } from '../../registry/registry-types.js';
import { TemporaryRegistry } from '../../registry/testing/temporary-registry.js';
import { KeyRing } from './key-ring.js';
import { PresentedBearer } from './presented-bearer.js';

const POLICY: KeyPolicy = {
  roles: ['chat-fast'],
  mayWake: false,
  mayCloud: true,
  expiresAtMs: null,
  keepBodiesDays: 7,
  defaultClass: 'batch',
  mostUrgentClass: 'normal',
  limits: { requestsPerMinute: 5, tokensPerMinute: null, concurrentRequests: null },
};

let place: TemporaryRegistry;
let registry: Registry;
let ring: KeyRing;
let revoked: string[];

function openRing(): void {
  ring = new KeyRing({
    store: registry.keys,
    isAdminToken: (presented) => presented === 'the-admin-token',
    onRevoked: (keyId) => void revoked.push(keyId),
    clock: place.clock,
  });
}

beforeEach(() => {
  place = new TemporaryRegistry();
  registry = place.open();
  revoked = [];
  openRing();
});
afterEach(() => place.remove());

function create(name: string, policy: Partial<KeyPolicy> = {}): NewKeySecret {
  const created = registry.keys.create(name, { ...POLICY, ...policy }, place.clock.nowMs());
  if (typeof created === 'string') throw new Error(created);
  return created;
}

function find(bearer: string, isTrusted: boolean): ReturnType<KeyRing['find']> {
  return ring.find(new PresentedBearer(bearer), isTrusted);
}

describe('a bearer', () => {
  it('is a key of ours by its secret, with all that the key may', () => {
    const { key, secret } = create('obsidian');
    expect(secret).toMatch(/^sk-fabric-[A-Za-z0-9_-]{43}$/);
    expect(find(secret, false)).toEqual({
      ...{ keyId: key.keyId, name: 'obsidian', mayWake: false, mayCloud: true },
      roles: new Set(['chat-fast']),
      limits: POLICY.limits,
      classes: { defaultClass: 'batch', mostUrgentClass: 'normal' },
      keepsBodies: true,
    });
    expect(find(`${KEY_SECRET_PREFIX}other`, false)).toBe('unknown');
    expect(find('not-needed', false)).toBe('unknown');
  });

  it('that was a key of ours is known as revoked, after a restart too', async () => {
    const { key, secret } = create('obsidian');
    expect(registry.keys.revoke('obsidian', 5)).toMatchObject({ revokedAtMs: 5 });
    expect(find(secret, false)).toBe('revoked');
    expect(revoked).toEqual([key.keyId]);
    // The name is free again, and the old secret stays what it was.
    const again = create('obsidian');
    expect(find(again.secret, false)).toMatchObject({ name: 'obsidian' });
    await place.close();
    registry = place.open();
    openRing();
    expect(find(secret, false)).toBe('revoked');
    expect(find(again.secret, false)).toMatchObject({ keyId: again.key.keyId });
    expect(registry.keys.find('obsidian')?.keyId).toBe(again.key.keyId);
    expect(registry.keys.find(key.keyId)?.revokedAtMs).toBe(5);
  });

  it('is good until its key expires', () => {
    const nowMs = place.clock.nowMs();
    const { secret } = create('ci', { expiresAtMs: nowMs + 1_000 });
    expect(find(secret, false)).toMatchObject({ name: 'ci' });
    place.clock.advance(1_000);
    expect(find(secret, false)).toBe('expired');
    registry.keys.change('ci', { expiresAtMs: null }, place.clock.nowMs());
    expect(find(secret, false)).toMatchObject({ name: 'ci' });
  });

  it('that was rotated out is good for the grace, and then no more', () => {
    const { secret } = create('ci');
    const rotated = registry.keys.rotate('ci', 60_000, place.clock.nowMs());
    if (typeof rotated === 'string') throw new Error(rotated);
    expect(find(secret, false)).toMatchObject({ name: 'ci' });
    expect(find(rotated.secret, false)).toMatchObject({ name: 'ci' });
    place.clock.advance(60_000);
    expect(find(secret, false)).toBe('expired');
    expect(find(rotated.secret, false)).toMatchObject({ name: 'ci' });
    const at = registry.keys.rotate('ci', 0, place.clock.nowMs());
    expect(find(rotated.secret, false)).toBe('expired');
    expect(at).toMatchObject({ key: { secrets: [{ validUntilMs: null }, {}, {}] } });
  });

  it('that is the admin token opens from anywhere until there is a key, then from trusted addresses', () => {
    expect(find('the-admin-token', false)).toMatchObject({ name: 'admin', mayCloud: true });
    create('obsidian');
    expect(find('the-admin-token', false)).toBe('unknown');
    expect(find('the-admin-token', true)).toMatchObject({ name: 'admin' });
    registry.keys.revoke('obsidian', 5);
    expect(find('the-admin-token', false)).toMatchObject({ name: 'admin' });
  });

  it('is nowhere in the registry file', async () => {
    const { secret } = create('obsidian');
    await place.close();
    const { readFileSync } = await import('node:fs');
    expect(readFileSync(place.file).includes(secret)).toBe(false);
    expect(readFileSync(place.file).includes(secret.slice(KEY_SECRET_PREFIX.length + 5))).toBe(false);
  });
});

describe('the anonymous key', () => {
  it('may all that it could before there were keys, until an operator says otherwise', async () => {
    expect(ring.anonymous).toMatchObject({ name: 'anonymous', roles: null, mayCloud: true });
    registry.keys.change('anonymous', { mayCloud: false, limits: { requestsPerMinute: 3 } }, 7);
    expect(ring.anonymous).toMatchObject({ mayCloud: false, limits: { requestsPerMinute: 3 } });
    await place.close();
    registry = place.open();
    openRing();
    expect(ring.anonymous).toMatchObject({ mayCloud: false, limits: { requestsPerMinute: 3 } });
    expect(registry.keys.list()).toHaveLength(1);
  });

  it('has no secret: it is neither made, nor rotated, nor revoked', () => {
    expect(registry.keys.create('anonymous', POLICY, 1)).toBe('name_taken');
    expect(registry.keys.rotate('anonymous', 0, 1)).toBe('has_no_secret');
    expect(registry.keys.revoke('anonymous', 1)).toBe('has_no_secret');
  });
});

describe('a change', () => {
  it('of a key that is not there, or is revoked, is refused', () => {
    expect(registry.keys.change('nobody', {}, 1)).toBe('unknown');
    create('ci');
    registry.keys.revoke('ci', 1);
    expect(registry.keys.change('ci', {}, 2)).toBe('revoked');
    expect(registry.keys.revoke('ci', 2)).toBe('revoked');
    create('ci');
    expect(registry.keys.create('ci', POLICY, 3)).toBe('name_taken');
  });

  it('of one limit leaves the others', () => {
    create('ci');
    registry.keys.change('ci', { limits: { concurrentRequests: 2 } }, 2);
    expect(registry.keys.find('ci')?.limits).toEqual({
      ...{ requestsPerMinute: 5, tokensPerMinute: null, concurrentRequests: 2 },
    });
  });
});
