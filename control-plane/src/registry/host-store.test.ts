import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Registry } from './registry-types.js';
import { enrol, enrolled, TemporaryRegistry } from './testing/temporary-registry.js';

let place: TemporaryRegistry;
let registry: Registry;

beforeEach(() => {
  place = new TemporaryRegistry();
  registry = place.open();
});
afterEach(() => place.remove());

describe('a host whose key is revoked', () => {
  it('is not let in with it, with whatever token, and stays so when it is removed', () => {
    enrolled(registry);
    expect(registry.hosts.revoke('armitage', 5_000)).toBe(5_000);
    expect(registry.hosts.revoke('armitage', 6_000)).toBe(5_000);
    expect(registry.hosts.findByName('armitage')).toMatchObject({ revokedAtMs: 5_000 });
    expect(registry.hosts.findRefusedKey('key-1')).toMatchObject({ reason: 'revoked', hostName: 'armitage' });
    expect(enrol(registry)).toMatchObject({ ok: false, reason: 'revoked' });
    expect(enrol(registry, { publicKey: 'key-2' })).toMatchObject({ ok: false, reason: 'name_taken' });
    expect(registry.hosts.remove('armitage', 7_000)).toBe(true);
    expect(registry.hosts.remove('armitage', 7_000)).toBe(false);
    expect(enrol(registry)).toMatchObject({ ok: false, reason: 'revoked' });
    expect(enrol(registry, { publicKey: 'key-2' })).toMatchObject({ ok: true });
  });

  it('comes back on another machine with a token that was made to replace its key', () => {
    const { hostId } = enrolled(registry);
    registry.hosts.setDraining('armitage', true);
    registry.hosts.revoke('armitage', 5_000);
    const token = registry.tokens.create({
      ...{ hostName: 'armitage', replacesHostId: hostId, ttlSeconds: 60, nowMs: 6_000 },
    });
    const request = { tokenId: token.id, tokenSecret: token.secret, nowMs: 6_000 };
    const anew = { ...request, publicKey: 'key-2', machineSha256: 'machine-2' };
    expect(enrol(registry, anew)).toMatchObject({
      ok: true,
      keyReplaced: true,
      host: { hostId, draining: true, revokedAtMs: null, machineSha256: 'machine-2' },
    });
    expect(enrol(registry, { publicKey: 'key-1', machineSha256: 'machine-2' })).toMatchObject({
      ok: false,
      reason: 'revoked',
    });
    expect(registry.hosts.recentEvents(hostId, 2)).toMatchObject([{ event: 'joined' }, { event: 'revoked' }]);
  });

  it('takes tokens that would replace its key with it', () => {
    const { hostId } = enrolled(registry);
    const made = () =>
      registry.tokens.create({ hostName: 'armitage', replacesHostId: hostId, ttlSeconds: 60, nowMs: 1_000 });
    const [first, second] = [made(), made()];
    registry.hosts.revoke('armitage', 2_000);
    const third = made();
    registry.hosts.remove('armitage', 3_000);
    const states = registry.tokens.list(4_000).filter(({ state }) => state === 'revoked');
    expect(states.map(({ id }) => id).sort()).toEqual([first.id, second.id, third.id].sort());
  });
});

describe('a join token', () => {
  it('is good for one host, and then says which', () => {
    const token = registry.tokens.create({ ttlSeconds: 60, nowMs: 1_000 });
    const request = { tokenId: token.id, tokenSecret: token.secret };
    expect(enrol(registry, request)).toMatchObject({ ok: true, host: { name: 'armitage' } });
    const second = { ...request, hostName: 'wintermute', publicKey: 'key-2', machineSha256: 'machine-2' };
    expect(enrol(registry, second)).toMatchObject({ ok: false, reason: 'token_used' });
    const used = registry.tokens.list(2_000).find((each) => each.id === token.id);
    expect(used).toMatchObject({ state: 'used', usedAtMs: 1_000, usedByHost: 'armitage' });
    expect(registry.hosts.list().map((host) => host.name)).toEqual(['armitage']);
  });

  it('stays unused when the host is refused', () => {
    enrolled(registry);
    const token = registry.tokens.create({ ttlSeconds: 60, nowMs: 1_000 });
    const request = {
      tokenId: token.id,
      tokenSecret: token.secret,
      publicKey: 'key-2',
      machineSha256: 'machine-2',
    };
    expect(enrol(registry, request)).toMatchObject({ ok: false, reason: 'name_taken' });
    expect(enrol(registry, { ...request, hostName: 'wintermute' })).toMatchObject({ ok: true });
  });

  it('is refused when it has expired, was revoked or has a wrong secret', () => {
    const token = registry.tokens.create({ ttlSeconds: 60, nowMs: 1_000 });
    const request = { tokenId: token.id, tokenSecret: token.secret };
    expect(enrol(registry, { ...request, nowMs: 61_000 })).toMatchObject({ reason: 'token_expired' });
    expect(enrol(registry, { ...request, tokenSecret: `${token.secret}x` })).toMatchObject({
      reason: 'token_unknown',
    });
    expect(enrol(registry, { ...request, tokenId: 'none' })).toMatchObject({ reason: 'token_unknown' });
    expect(registry.tokens.revoke(token.id, 2_000)).toBe(true);
    expect(registry.tokens.revoke(token.id, 2_000)).toBe(false);
    expect(enrol(registry, request)).toMatchObject({ reason: 'token_unknown' });
  });

  it('is listed with its state, newest first, and never with its secret', () => {
    const first = registry.tokens.create({ ttlSeconds: 60, nowMs: 1_000 });
    const second = registry.tokens.create({ ttlSeconds: 600, nowMs: 2_000, hostName: 'motoko' });
    const third = registry.tokens.create({ ttlSeconds: 600, nowMs: 3_000 });
    registry.tokens.revoke(third.id, 3_000);
    const listed = registry.tokens.list(61_000);
    expect(listed.map(({ id, state, hostName }) => [id, state, hostName])).toEqual([
      [third.id, 'revoked', null],
      [second.id, 'unused', 'motoko'],
      [first.id, 'expired', null],
    ]);
    expect(JSON.stringify(listed)).not.toContain(first.secret);
  });

  it('is forgotten a month after it expired', () => {
    registry.tokens.create({ ttlSeconds: 60, nowMs: 0 });
    const kept = registry.tokens.create({ ttlSeconds: 60, nowMs: 31 * 24 * 3600 * 1000 });
    expect(registry.tokens.list(0).map((each) => each.id)).toEqual([kept.id]);
  });
});

describe('an enrolled host', () => {
  it('is found by its key and its name, and keeps its identity when its machine joins again', () => {
    const first = enrolled(registry);
    expect(registry.hosts.findByPublicKey('key-1')).toEqual(first);
    const again = enrolled(registry, { publicKey: 'key-2', nowMs: 5_000 });
    expect(again).toEqual({ ...first, publicKey: 'key-2', enrolledAtMs: 5_000 });
    expect(registry.hosts.findByPublicKey('key-1')).toBeUndefined();
    expect(registry.hosts.findByName('armitage')).toEqual(again);
    expect(registry.hosts.findByName('none')).toBeUndefined();
  });

  it('drains, across restarts, until it is undrained', async () => {
    enrolled(registry);
    expect(registry.hosts.setDraining('armitage', true)).toBe(true);
    expect(registry.hosts.setDraining('none', true)).toBe(false);
    await place.close();
    expect(place.open().hosts.findByName('armitage')).toMatchObject({ draining: true });
  });
});
