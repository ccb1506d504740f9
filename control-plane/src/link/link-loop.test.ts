import {
  closeCodes,
  formatJoinToken,
  type GoodbyeReason,
  HEARTBEAT_INTERVAL_MS,
  PROTOCOL_VERSION,
} from '@ai-fabric/shared';
import { beforeEach, describe, expect, it } from 'vitest';
import { declaredOf, inventory, sampleOf, statusOf } from '../live/testing/live-fixtures.js';
import { RegistryError } from '../registry/registry-error.js';
import { newAgentKey, signedHello } from './testing/agent-keys.js';
import type { FakeLinkSocket } from './testing/fake-link-socket.js';
import { CERTIFICATE, LinkStage } from './testing/link-stage.js';

let stage: LinkStage;
beforeEach(() => {
  stage = new LinkStage();
});

const token = { id: 'k3v9x2mq', secret: 's'.repeat(43), certificateSha256: CERTIFICATE };
const joinToken = formatJoinToken(token);

function expectGoodbye(socket: FakeLinkSocket, reason: GoodbyeReason): void {
  expect(socket.of('goodbye').map((goodbye) => goodbye.reason)).toEqual([reason]);
  expect(socket.closedWith).toEqual({ code: closeCodes[reason], reason });
}

describe('linking', () => {
  it('is challenge, hello, welcome, and what the host is to keep', () => {
    const socket = stage.link();
    expect(socket.frames.map(({ type }) => type)).toEqual(['challenge', 'welcome', 'command']);
    expect(socket.of('welcome')[0]).toEqual({
      hostId: 'h1',
      hostName: 'motoko',
      protocolVersion: PROTOCOL_VERSION,
      serverTimeMs: stage.clock.nowMs(),
    });
    expect(socket.of('command')[0]?.command).toMatchObject({
      revision: 1,
      replicas: [{ deployment: 'chat' }],
    });
    expect(stage.live.host('motoko')).toMatchObject({ presence: 'online', peerAddress: '192.0.2.7' });
    expect(stage.loop.linkedCount).toBe(1);
  });

  it('asks each connection something else', () => {
    const nonces = [stage.dial(), stage.dial()].map((socket) => socket.of('challenge')[0]?.nonce);
    expect(new Set(nonces).size).toBe(2);
    expect(Buffer.from(nonces[0] ?? '', 'base64')).toHaveLength(32);
  });

  it('takes a host in with a join token, once', () => {
    stage.store.addToken(token.id, token.secret);
    const key = newAgentKey();
    const socket = stage.link({ hostName: 'wintermute', joinToken }, undefined, key);
    expect(socket.of('welcome')[0]).toMatchObject({ hostName: 'wintermute' });
    expect(stage.live.host('wintermute')?.presence).toBe('online');
    const other = stage.link({ hostName: 'armitage', joinToken }, '192.0.2.9', newAgentKey());
    expectGoodbye(other, 'token_used');
    expect(stage.live.host('armitage')?.presence).toBe('unseen');
  });

  it('lets a host in again whose welcome got lost, with the token that it used', () => {
    stage.store.addToken(token.id, token.secret);
    const key = newAgentKey();
    stage.link({ hostName: 'wintermute', joinToken }, undefined, key).end();
    const again = stage.link({ hostName: 'wintermute', joinToken, instanceId: 'instance-2' }, undefined, key);
    expect(again.of('welcome')).toHaveLength(1);
  });

  it('tells the registry that it happened', () => {
    stage.link();
    expect(stage.store.observations).toMatchObject([
      { kind: 'hostEvent', hostId: 'h1', event: 'linked' },
      { kind: 'hostSeen', hostId: 'h1', agentVersion: '0.1.0' },
    ]);
  });
});

describe('a hello that is refused', () => {
  it.each<[string, () => FakeLinkSocket, GoodbyeReason]>([
    ['of a stranger', () => stage.link({}, undefined, newAgentKey()), 'unknown_host'],
    [
      'signed with another key',
      () => stage.link({ publicKey: stage.key.publicKey }, undefined, newAgentKey()),
      'proof_failed',
    ],
    ['signed with nothing', () => stage.link({ proof: Buffer.alloc(64).toString('base64') }), 'proof_failed'],
    ['signed with garbage', () => stage.link({ proof: 'A'.repeat(40) }), 'proof_failed'],
    ['with a key that is none', () => stage.link({ publicKey: 'A'.repeat(60) }), 'proof_failed'],
    [
      'with a key that was revoked',
      () => {
        const { publicKey } = stage.key;
        const refused = { hostName: 'motoko', reason: 'revoked', refusedAtMs: 0 } as const;
        stage.store.refused.set(publicKey, refused);
        return stage.link();
      },
      'revoked',
    ],
    ['from another machine', () => stage.link({ machineSha256: 'ff'.repeat(32) }), 'machine_mismatch'],
    [
      'with a token that nobody made',
      () => stage.link({ joinToken }, undefined, newAgentKey()),
      'token_unknown',
    ],
    [
      'with no token of ours',
      () => stage.link({ joinToken: 'hello' }, undefined, newAgentKey()),
      'token_unknown',
    ],
  ])('%s gets a typed goodbye, and is counted', (_, dial, reason) => {
    const socket = dial();
    expectGoodbye(socket, reason);
    expect(stage.loop.linkedCount).toBe(0);
    expect(stage.live.host('motoko')?.presence).toBe('away');
    expect(stage.lines('a link was refused')).toBe(1);
  });

  it('with an expired token says so', () => {
    stage.store.addToken(token.id, token.secret, stage.clock.nowMs());
    expectGoodbye(stage.link({ joinToken, hostName: 'new' }, undefined, newAgentKey()), 'token_expired');
  });

  it('under the name of a host on another machine says so', () => {
    stage.store.addToken(token.id, token.secret);
    const socket = stage.link({ joinToken, machineSha256: 'ff'.repeat(32) }, undefined, newAgentKey());
    expectGoodbye(socket, 'name_taken');
  });

  it('signed for another connection, or another certificate, does not hold: a relay cannot pass it on', () => {
    const nonceOf = (socket: FakeLinkSocket) => socket.of('challenge')[0]?.nonce ?? '';
    const [honest, relay, intercepted] = [stage.dial(), stage.dial(), stage.dial()];
    stage.says(relay, 'hello', signedHello(stage.key, nonceOf(honest), CERTIFICATE));
    expectGoodbye(relay, 'proof_failed');
    stage.says(intercepted, 'hello', signedHello(stage.key, nonceOf(intercepted), 'ee'.repeat(32)));
    expectGoodbye(intercepted, 'proof_failed');
    stage.says(honest, 'hello', signedHello(stage.key, nonceOf(honest), CERTIFICATE));
    expect(honest.of('welcome')).toHaveLength(1);
  });

  it('because the registry is busy is put off, and not held against the address', () => {
    stage.store.failure = new RegistryError('registry_busy', '/data/registry.db', 'is locked', 'wait');
    for (let tries = 0; tries < 50; tries += 1) {
      const socket = stage.link();
      expectGoodbye(socket, 'unavailable');
      expect(socket.of('goodbye')[0]?.detail).not.toContain('/data');
    }
    stage.store.failure = null;
    expect(stage.link().of('welcome')).toHaveLength(1);
  });

  it('shows the peer nothing of an error inside', () => {
    stage.store.failure = new TypeError('secret internals at /srv/x.js:1');
    const [goodbye] = stage.link().of('goodbye');
    expect(goodbye?.detail).toMatch(/^The control plane cannot check who this is \(internal\)/);
    expect(goodbye?.detail).not.toContain('secret');
  });

  it('never comes: the connection ends after 5 s', () => {
    const socket = stage.dial();
    stage.clock.advance(4_000);
    expect(socket.closedWith).toBeNull();
    stage.clock.advance(2_000);
    expectGoodbye(socket, 'hello_timeout');
  });

  it('twenty times from one address closes that address for a while, and no other', () => {
    for (let tries = 0; tries < 20; tries += 1) stage.link({}, '198.51.100.1', newAgentKey()).end();
    const limited = stage.dial('198.51.100.1');
    expectGoodbye(limited, 'rate_limited');
    expect(limited.of('challenge')).toEqual([]);
    expect(stage.link().of('welcome')).toHaveLength(1);
    stage.clock.advance(60_000);
    expect(stage.dial('198.51.100.1').of('challenge')).toHaveLength(1);
  });

  it('many times logs one line in ten seconds, with the count of the rest', () => {
    for (let tries = 0; tries < 12; tries += 1) stage.link({}, '198.51.100.1', newAgentKey());
    expect(stage.lines('a link was refused')).toBe(1);
    stage.clock.advance(10_000);
    stage.link({}, '198.51.100.1', newAgentKey());
    expect(stage.logged.filter(({ msg }) => msg === 'a link was refused').at(-1)).toMatchObject({
      suppressed: 11,
    });
  });
});

describe('a second link of one host', () => {
  it('of the same process takes the place of the first', () => {
    const first = stage.link();
    const second = stage.link();
    expectGoodbye(first, 'superseded');
    expect(second.of('welcome')).toHaveLength(1);
    first.end();
    expect(stage.live.host('motoko')?.presence).toBe('online');
    expect(stage.loop.linkedCount).toBe(1);
  });

  it('of a process that started anew takes the place of one whose socket is closed', () => {
    const first = stage.link();
    first.close(1000, '');
    expect(stage.link({ instanceId: 'instance-2' }).of('welcome')).toHaveLength(1);
  });

  it('of a clone is refused while the first is alive, and shown to the operator', () => {
    const first = stage.link();
    const clone = stage.link({ instanceId: 'clone' }, '192.0.2.66');
    expectGoodbye(clone, 'identity_in_use');
    expect(first.closedWith).toBeNull();
    const [issue] = stage.live.host('motoko')?.issues ?? [];
    expect(issue).toMatchObject({ code: 'identity_in_use', severity: 'error' });
    expect(issue?.detail).toContain('192.0.2.7');
    expect(issue?.detail).toContain('192.0.2.66');
  });

  it('takes the place of one that died unseen, after 2 s', () => {
    const first = stage.link();
    first.alive = false;
    const second = stage.link({ instanceId: 'instance-2' });
    expect(second.of('welcome')).toEqual([]);
    stage.clock.advance(1_750);
    expect(second.of('welcome')).toEqual([]);
    stage.clock.advance(500);
    expect(second.of('welcome')).toHaveLength(1);
    expectGoodbye(first, 'superseded');
    expect(stage.live.host('motoko')).toMatchObject({ presence: 'online', issues: [] });
  });

  it('waits for any sign of the first, a report too', () => {
    const first = stage.link();
    first.alive = false;
    const second = stage.link({ instanceId: 'clone' });
    stage.clock.advance(1_000);
    stage.reports(first, 1);
    expectGoodbye(second, 'identity_in_use');
  });

  it('takes its place at once when the first leaves meanwhile', () => {
    const first = stage.link();
    first.alive = false;
    const second = stage.link({ instanceId: 'instance-2' });
    first.end();
    expect(second.of('welcome')).toHaveLength(1);
  });

  it('goes nowhere when the host is revoked: who waits is ended with who has it', () => {
    const first = stage.link();
    first.alive = false;
    const second = stage.link({ instanceId: 'instance-2' });
    stage.loop.endHost('motoko', 'revoked', 'An operator revoked it.');
    expectGoodbye(second, 'revoked');
    expectGoodbye(first, 'revoked');
    expect(stage.live.host('motoko')?.presence).toBe('away');
    expect(stage.loop.linkedCount).toBe(0);
  });

  it('of a new key in the place of the former one ends the former one’s', () => {
    stage.store.addToken(token.id, token.secret, undefined, true);
    const former = stage.link();
    const anew = stage.link({ joinToken, instanceId: 'instance-2' }, undefined, newAgentKey());
    expectGoodbye(former, 'revoked');
    expect(anew.of('welcome')).toHaveLength(1);
    expect(stage.live.host('motoko')?.presence).toBe('online');
  });

  it('of a new key, where the former lives, is refused, shown to the operator, and keeps its token', () => {
    stage.store.addToken(token.id, token.secret);
    const former = stage.link();
    const join = { joinToken, instanceId: 'instance-2' };
    const anew = stage.link(join, '192.0.2.8', newAgentKey());
    stage.clock.advance(250);
    expectGoodbye(anew, 'name_taken');
    expect(anew.of('goodbye')[0]?.detail).toContain('Stop it, then join again');
    expect(former.closedWith).toBeNull();
    expect(stage.loop.conflicts.of('motoko')).toMatchObject({ kind: 'another_key', triedFrom: '192.0.2.8' });
    expect(stage.live.host('motoko')?.issues).toMatchObject([{ code: 'identity_in_use' }]);
    former.end();
    const again = stage.link(join, '192.0.2.8', newAgentKey());
    expect(again.of('welcome')).toHaveLength(1);
  });

  it('of a new key takes the place of a former one that died unseen, after 2 s', () => {
    stage.store.addToken(token.id, token.secret);
    const former = stage.link();
    former.alive = false;
    const anew = stage.link({ joinToken, instanceId: 'instance-2' }, undefined, newAgentKey());
    expect(anew.of('welcome')).toEqual([]);
    stage.clock.advance(2_250);
    expect(anew.of('welcome')).toHaveLength(1);
    expect(stage.store.tokens.get(token.id)?.used).toBe(true);
    expect(stage.loop.linkedCount).toBe(1);
  });

  it('of a new key, whose token was used while it waited, goes nowhere', () => {
    stage.store.addToken(token.id, token.secret);
    const former = stage.link();
    former.alive = false;
    const anew = stage.link({ joinToken, instanceId: 'instance-2' }, undefined, newAgentKey());
    const used = stage.store.tokens.get(token.id);
    if (used) used.used = true;
    stage.clock.advance(2_250);
    expectGoodbye(anew, 'token_used');
    expect(stage.loop.linkedCount).toBe(1);
  });

  it('among several newcomers goes to the first of them, the others are refused', () => {
    const first = stage.link();
    first.alive = false;
    const newcomers = ['a', 'b', 'c'].map((instanceId) => stage.link({ instanceId }));
    stage.clock.advance(2_250);
    expect(newcomers.map((socket) => socket.of('welcome').length)).toEqual([1, 0, 0]);
    for (const socket of newcomers.slice(1)) expectGoodbye(socket, 'identity_in_use');
    expect(stage.loop.linkedCount).toBe(1);
  });

  it('is not given to a newcomer that left', () => {
    const first = stage.link();
    first.alive = false;
    const gone = stage.link({ instanceId: 'gone' });
    const stays = stage.link({ instanceId: 'stays' });
    gone.end();
    stage.clock.advance(2_250);
    expect(stays.of('welcome')).toHaveLength(1);
    expect(gone.of('welcome')).toEqual([]);
  });

  it('leaves those who wait refused when the first comes again by itself', () => {
    const first = stage.link();
    first.alive = false;
    const clone = stage.link({ instanceId: 'clone' });
    const again = stage.link();
    expect(again.of('welcome')).toHaveLength(1);
    expectGoodbye(clone, 'identity_in_use');
  });

  it('is remembered for an hour after the last try', () => {
    const first = stage.link();
    stage.link({ instanceId: 'clone' });
    for (let minutes = 0; minutes < 59; minutes += 1) {
      stage.clock.advance(60_000);
      stage.reports(first, minutes + 1);
    }
    expect(stage.live.host('motoko')?.issues).toHaveLength(1);
    stage.clock.advance(61_000);
    expect(stage.live.host('motoko')?.issues).toEqual([]);
  });

  it('is forgotten when an operator says so', () => {
    stage.link();
    stage.link({ instanceId: 'clone' });
    stage.loop.conflicts.clear('motoko');
    expect(stage.live.host('motoko')?.issues).toEqual([]);
  });

  it('of other hosts is no business of this one', () => {
    const armitage = stage.enrolled('armitage');
    const first = stage.link();
    stage.link({ instanceId: 'other', hostName: 'armitage' }, undefined, armitage);
    expect(first.closedWith).toBeNull();
    expect(stage.loop.linkedCount).toBe(2);
  });
});

describe('reports', () => {
  it('reach the live view and the registry', () => {
    const socket = stage.link();
    stage.store.observations.length = 0;
    const issues = [
      { code: 'no_gpu', subject: 'host', severity: 'info', detail: 'none', fix: null } as const,
    ];
    stage.reports(socket, 1, {
      inventory,
      issues: [...issues],
      replicas: [statusOf('chat')],
      telemetry: [{ ...sampleOf(stage.clock.nowMs() - 500, { chat: 2 }) }],
    });
    expect(stage.live.host('motoko')).toMatchObject({
      inventory,
      issues,
      sample: { atMs: stage.clock.nowMs() - 500 },
    });
    expect(stage.live.replica('chat')).toMatchObject({ status: { phase: 'ready' }, reading: { running: 2 } });
    expect(stage.store.observations.map(({ kind }) => kind)).toEqual([
      'hostInventory',
      'hostIssues',
      'hostReplicas',
    ]);
  });

  it('of an agent whose clock is an hour off are placed right', () => {
    const socket = stage.link();
    const agentNowMs = stage.clock.nowMs() - 3_600_000;
    socket.says('report', { seq: 1, telemetry: [sampleOf(agentNowMs - 2_000)] }, agentNowMs);
    expect(stage.live.host('motoko')).toMatchObject({
      presence: 'online',
      clockSkewMs: 3_600_000,
      sample: { atMs: stage.clock.nowMs() - 2_000 },
      issues: [{ code: 'clock_skew', severity: 'info' }],
    });
  });

  it('that an agent waits for are acknowledged at once, then once a second', () => {
    const socket = stage.link();
    for (let seq = 1; seq <= 20; seq += 1) {
      stage.reports(socket, seq, { backfill: true, telemetry: [sampleOf(seq)] });
      stage.clock.advance(100);
    }
    expect(socket.of('ack')[0]?.seq).toBe(1);
    expect(socket.of('ack').length).toBeLessThanOrEqual(3);
    stage.clock.advance(1_000);
    expect(socket.of('ack').at(-1)?.seq).toBe(20);
  });

  it('of the present moment are acknowledged with the heartbeat', () => {
    const socket = stage.link();
    for (let seq = 1; seq <= 61; seq += 1) {
      stage.reports(socket, seq, { telemetry: [sampleOf(stage.clock.nowMs())] });
      stage.clock.advance(1_000);
    }
    expect(socket.of('ack').length).toBeLessThanOrEqual(13);
    expect(socket.of('ack').at(-1)?.seq).toBeGreaterThan(56);
    stage.clock.advance(5_000);
    expect(socket.of('ack').at(-1)?.seq).toBe(61);
  });

  it('that were taken and sent again after a broken link are taken once', () => {
    const first = stage.link();
    const at = (ms: number) => stage.clock.nowMs() - ms;
    stage.reports(first, 1, { telemetry: [sampleOf(at(3_000)), { atMs: at(2_000) }] });
    first.end();
    const second = stage.link();
    stage.reports(second, 2, { telemetry: [sampleOf(at(0))] });
    stage.reports(second, 3, {
      backfill: true,
      telemetry: [{ atMs: at(3_000) }, { atMs: at(2_000) }, { atMs: at(1_000) }],
    });
    expect(stage.live.history('motoko', 0, 1e15).map(({ atMs }) => stage.clock.nowMs() - atMs)).toEqual([
      3_000, 2_000, 1_000, 0,
    ]);
    expect(stage.loop.counters.duplicateSamples).toBe(2);
  });

  it('are not forgotten for a pong that comes late, from the link before', () => {
    const at = stage.clock.nowMs();
    const first = stage.link();
    first.alive = false;
    stage.reports(first, 1, { telemetry: [sampleOf(at)] });
    stage.clock.advance(5_000);
    const mark = first.pings.at(-1) ?? '';
    const second = stage.link();
    stage.reports(second, 2, { telemetry: [sampleOf(at + 1)] });
    first.pongs(mark);
    second.end();
    stage.reports(stage.link(), 3, { backfill: true, telemetry: [sampleOf(at + 1)] });
    expect(mark).toBe('1');
    expect(stage.loop.counters.duplicateSamples).toBe(1);
  });

  it('of a process that started anew are all new', () => {
    const at = stage.clock.nowMs();
    const first = stage.link();
    stage.reports(first, 1, { telemetry: [sampleOf(at)] });
    first.end();
    stage.reports(stage.link({ instanceId: 'instance-2' }), 1, { telemetry: [sampleOf(at)] });
    expect(stage.loop.counters.duplicateSamples).toBe(0);
  });

  it('of what is not declared on the host are counted, and logged once in a while', () => {
    const socket = stage.link();
    for (let seq = 1; seq <= 5; seq += 1)
      stage.reports(socket, seq, { replicas: [statusOf('deep'), statusOf('x')] });
    expect(stage.loop.counters.disbelieved).toBe(10);
    expect(stage.lines('parts of a report were not believed')).toBe(1);
    expect([...stage.live.replicas()]).toEqual([]);
  });

  it('tell the registry every ten seconds that the host was seen', () => {
    const socket = stage.link();
    stage.store.observations.length = 0;
    for (let seq = 1; seq <= 30; seq += 1) {
      stage.clock.advance(1_000);
      stage.reports(socket, seq);
    }
    expect(stage.store.observations.filter(({ kind }) => kind === 'hostSeen')).toHaveLength(3);
  });
});

describe('a link that breaks the rules', () => {
  it.each<[string, (socket: FakeLinkSocket) => void, GoodbyeReason]>([
    ['with what is no JSON', (socket) => socket.saysText('{"type":'), 'protocol_error'],
    [
      'with an unknown type',
      (socket) => socket.saysText('{"id":"1","type":"order","sentAtMs":1,"body":{}}'),
      'protocol_error',
    ],
    ['with a binary message', (socket) => socket.saysBinary(), 'protocol_error'],
    ['with a second hello', (socket) => stage.hello(socket), 'protocol_error'],
    [
      'with a report that came before',
      (socket) => {
        for (const seq of [1, 1]) stage.reports(socket, seq);
      },
      'protocol_error',
    ],
    [
      'with a flood',
      (socket) => {
        for (let seq = 1; seq < 3_000; seq += 1) stage.reports(socket, seq);
      },
      'rate_limited',
    ],
    [
      'with a flood of pings',
      (socket) => {
        for (let n = 0; n < 3_000; n += 1) socket.pinged();
      },
      'rate_limited',
    ],
  ])('%s is ended with a typed goodbye', (_, misbehave, reason) => {
    const socket = stage.link();
    misbehave(socket);
    expectGoodbye(socket, reason);
    expect(stage.loop.linkedCount).toBe(0);
    expect(stage.lines('a link was ended')).toBe(1);
    expect(stage.live.host('motoko')?.presence).toBe('online');
  });

  it('by not reading is ended as a slow consumer', () => {
    const socket = stage.link();
    socket.buffered = 2 * 1024 * 1024;
    stage.reports(socket, 1);
    expectGoodbye(socket, 'slow_consumer');
  });

  it('with samples of too many cards is ended', () => {
    const socket = stage.link();
    const gpus = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`GPU-${index}`, {}]));
    stage.reports(socket, 1, { telemetry: [{ atMs: 1, gpus }] });
    expectGoodbye(socket, 'protocol_error');
    expect(socket.of('goodbye')[0]?.detail).toContain('33 cards');
    expect(stage.live.host('motoko')?.sample).toBeNull();
  });

  it('is not heard any more, whatever it goes on to say', () => {
    const socket = stage.link();
    socket.saysText('garbage');
    stage.reports(socket, 1, { telemetry: [sampleOf(stage.clock.nowMs())] });
    expect(stage.live.host('motoko')?.sample).toBeNull();
    expectGoodbye(socket, 'protocol_error');
  });
});

describe('presence', () => {
  it('is kept by pongs alone', () => {
    stage.link();
    stage.clock.advance(120_000);
    expect(stage.live.host('motoko')?.presence).toBe('online');
  });

  it('of an agent that fell silent is late, then away, and its link is ended', () => {
    const socket = stage.link();
    socket.alive = false;
    stage.store.observations.length = 0;
    stage.clock.advance(13_000);
    expect(stage.live.host('motoko')?.presence).toBe('late');
    stage.clock.advance(18_000);
    expect(stage.live.host('motoko')?.presence).toBe('away');
    expectGoodbye(socket, 'heartbeat_lost');
    expect(stage.store.observations).toMatchObject([
      { kind: 'hostEvent', event: 'late' },
      { kind: 'hostEvent', event: 'away' },
    ]);
  });

  it('is not lost for what nobody could hear: the control plane itself stood still for a minute', () => {
    const sockets = [stage.link(), stage.dial()];
    const rival = stage.link(
      { instanceId: 'instance-2', hostName: 'armitage' },
      undefined,
      stage.enrolled('armitage'),
    );
    stage.clock.stall(60_000);
    expect(stage.lines('the control plane stood still')).toBe(1);
    for (const socket of [...sockets, rival]) expect(socket.closedWith).toBeNull();
    expect(stage.live.host('motoko')?.presence).toBe('online');
    for (const socket of [...sockets, rival]) socket.alive = false;
    stage.clock.advance(40_000);
    for (const socket of [...sockets, rival]) expect(socket.closedWith).not.toBeNull();
    expect(stage.live.host('motoko')?.presence).toBe('away');
  });

  it('of a linked host is not decided by a stall while somebody waits for its place', () => {
    const first = stage.link();
    first.alive = false;
    const second = stage.link({ instanceId: 'clone' });
    stage.clock.stall(10_000);
    expect(second.of('welcome')).toEqual([]);
    first.pongs('');
    expectGoodbye(second, 'identity_in_use');
  });

  it('goes with a goodbye, and its reason is kept', () => {
    const socket = stage.link();
    stage.store.observations.length = 0;
    stage.says(socket, 'goodbye', { reason: 'suspend', detail: 'lid closed' });
    expect(stage.live.host('motoko')).toMatchObject({ presence: 'away', goodbyeReason: 'suspend' });
    expect(stage.store.observations).toMatchObject([
      { kind: 'hostEvent', event: 'goodbye', detail: 'suspend' },
    ]);
    expect(socket.closedWith?.code).toBe(1000);
  });

  it('outlives a link that breaks for a moment', () => {
    stage.link().end();
    stage.clock.advance(5_000);
    expect(stage.live.host('motoko')?.presence).toBe('online');
    stage.link();
    stage.clock.advance(15_000);
    expect(stage.live.host('motoko')?.presence).toBe('online');
  });

  it('of a thousand agents is asked by pings that are spread over five seconds', () => {
    const sockets = Array.from({ length: 100 }, (_, index) => {
      const name = `host-${index}`;
      return stage.link({ hostName: name }, undefined, stage.enrolled(name));
    });
    const perTick: number[] = [];
    const total = () => sockets.reduce((sum, { pings }) => sum + pings.length, 0);
    for (let tick = 0; tick < 20; tick += 1) {
      const before = total();
      stage.clock.advance(250);
      perTick.push(total() - before);
    }
    expect(Math.max(...perTick)).toBe(5);
    expect(total()).toBe(100);
    expect(stage.clock.pendingTimers).toBe(1);
    expect(HEARTBEAT_INTERVAL_MS).toBe(5_000);
  });
});

describe('what hosts are to keep', () => {
  it('is sent again to all when it changes', () => {
    const socket = stage.link();
    stage.declared.replace(declaredOf({ motoko: ['chat', 'embed'] }, 2));
    const revisions = wishes(socket).map(({ command }) => 'revision' in command && command.revision);
    expect(revisions).toEqual([1, 2]);
  });

  it('is sent anew on each link, under an id of its own', () => {
    const first = stage.link();
    first.end();
    const second = stage.link();
    const ids = [first, second].map((socket) => wishes(socket).map(({ commandId }) => commandId));
    expect(ids.flat()).toHaveLength(2);
    expect(new Set(ids.flat()).size).toBe(2);
  });

  it('is sent again when its agent says nothing of it for a minute, not when it does', () => {
    const socket = stage.link();
    const [command] = wishes(socket);
    stage.clock.advance(61_000);
    expect(wishes(socket)).toHaveLength(2);
    expect(stage.lines('a command expired without an outcome')).toBe(1);
    const commandId = wishes(socket)[1]?.commandId ?? '';
    expect(commandId).not.toBe(command?.commandId);
    stage.says(socket, 'outcome', { commandId, result: 'done', code: null, detail: null });
    stage.clock.advance(120_000);
    expect(wishes(socket)).toHaveLength(2);
  });

  it('that was not done is logged with its reason', () => {
    const socket = stage.link();
    const commandId = wishes(socket)[0]?.commandId ?? '';
    stage.says(socket, 'outcome', { commandId, result: 'refused', code: 'stale_revision', detail: 'older' });
    expect(stage.logged.find(({ msg }) => msg === 'a command was not done')).toMatchObject({
      host: 'motoko',
      result: 'refused',
      code: 'stale_revision',
    });
  });

  it('is not settled by the outcome of something else', () => {
    const socket = stage.link();
    stage.says(socket, 'outcome', { commandId: 'c99', result: 'failed', code: 'x', detail: null });
    expect(stage.lines('a command was not done')).toBe(0);
    stage.clock.advance(61_000);
    expect(wishes(socket)).toHaveLength(2);
  });
});

describe('how a host yields to its owner', () => {
  const settings = (socket: FakeLinkSocket) =>
    socket.of('command').flatMap(({ command }) => ('settings' in command ? [command.settings] : []));

  function linkNow(protocolVersion = PROTOCOL_VERSION): FakeLinkSocket {
    const socket = stage.dial();
    stage.hello(socket, { protocolVersion });
    return socket;
  }

  it('is told on each link, and when it is declared otherwise', () => {
    const first = linkNow();
    expect(settings(first)).toEqual([
      {
        ...{ automatic: true, drainSeconds: 10, action: 'stop', quietSeconds: 300 },
        ...{ vramBytes: 1.5e9, utilisationRatio: 0.3 },
      },
    ]);
    stage.declared.replace(declaredOf({ motoko: ['chat', 'embed'] }, 2));
    expect(settings(first)).toHaveLength(1);
    const declared = declaredOf({ motoko: ['chat'] }, 3);
    const host = declared.hosts.get('motoko');
    if (!host) throw new Error('not declared');
    const owner = { ...host.owner, automatic: false };
    stage.declared.replace({ ...declared, hosts: new Map([['motoko', { ...host, owner }]]) });
    expect(settings(first)).toMatchObject([{ automatic: true }, { automatic: false }]);
    first.end();
    expect(settings(linkNow())).toMatchObject([{ automatic: false }]);
  });

  it('is told again to an agent that says nothing of it', () => {
    const socket = linkNow();
    stage.clock.advance(61_000);
    expect(settings(socket)).toHaveLength(2);
  });

  it('is not told to an agent that would not understand, nor of a host that is not declared', () => {
    const old = linkNow(4);
    expect(settings(old)).toEqual([]);
    old.end();
    stage.declared.replace(declaredOf({}, 2));
    expect(settings(linkNow())).toEqual([]);
  });
});

describe('the end', () => {
  it('says goodbye to everybody, those who wait among them, and leaves hosts where they are', () => {
    const linked = stage.link();
    const challenged = stage.dial();
    stage.loop.evictAll('service_stop', 'The control plane stops.');
    for (const socket of [linked, challenged]) expectGoodbye(socket, 'service_stop');
    for (const socket of [linked, challenged]) socket.end();
    expect(stage.loop.openCount).toBe(0);
    expect(stage.live.host('motoko')?.presence).toBe('online');
  });

  it('of a thousand links leaves nothing behind', () => {
    for (let round = 0; round < 1_000; round += 1) {
      const socket = stage.link({ instanceId: `i${round}` });
      stage.reports(socket, 1, { telemetry: [sampleOf(stage.clock.nowMs())] });
      socket.end();
      stage.clock.advance(10);
    }
    expect(stage.loop.openCount).toBe(0);
    expect(stage.loop.linkedCount).toBe(0);
  });
});

/** The wishes among the commands that an agent was sent. */
function wishes(socket: FakeLinkSocket) {
  return socket.of('command').filter(({ command }) => command.name === 'apply_desired');
}
