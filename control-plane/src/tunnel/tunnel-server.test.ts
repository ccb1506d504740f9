import { once } from 'node:events';
import { TUNNEL_PATH, TUNNEL_PROTOCOL } from '@ai-fabric/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newAgentKey } from '../link/testing/agent-keys.js';
import { until } from '../live/testing/until.js';
import { TunnelStage } from './testing/tunnel-stage.js';

let stage: TunnelStage;
beforeEach(async () => {
  stage = await TunnelStage.start();
});
afterEach(() => stage.close());

describe('an agent that asks for its tunnel', () => {
  it('is challenged, proves its key, and is asked through it from then on', async () => {
    const agent = await stage.dial();
    expect(await agent.upgrade()).toBe('HTTP/1.1 101 Switching Protocols');
    expect(Buffer.from(agent.nonce, 'base64')).toHaveLength(32);
    const answer = await agent.say(agent.hello(stage.key, stage.certificateSha256));
    expect(answer).toEqual({ type: 'welcome', hostName: 'motoko' });
    await until('its tunnel', () => stage.book.tunnel('motoko') !== undefined);
    expect(stage.live.host('motoko')?.tunnelUp).toBe(true);
    expect(stage.server.unprovenCount).toBe(0);
  });

  it('gets another challenge each time', async () => {
    const [one, other] = [await stage.dial(), await stage.dial()];
    await one.upgrade();
    await other.upgrade();
    expect(one.nonce).not.toBe(other.nonce);
  });

  it('is refused with a proof that was made for another connection', async () => {
    const [one, other] = [await stage.dial(), await stage.dial()];
    await one.upgrade();
    await other.upgrade();
    const replayed = one.hello(stage.key, stage.certificateSha256);
    expect(await other.say(replayed)).toMatchObject({ type: 'refused', reason: 'proof_failed' });
    await other.closed;
    expect(stage.book.openCount).toBe(0);
  });

  it('is refused with a proof that was made towards a relay, which has another certificate', async () => {
    const agent = await stage.dial();
    await agent.upgrade();
    const relayed = agent.hello(stage.key, 'ee'.repeat(32));
    expect(await agent.say(relayed)).toMatchObject({ type: 'refused', reason: 'proof_failed' });
  });

  it.each([
    { what: "another host's key", reason: 'unknown_host', more: {}, key: newAgentKey() },
    {
      what: 'a key that it does not hold',
      reason: 'proof_failed',
      more: { publicKey: newAgentKey().publicKey },
    },
    {
      what: 'bytes that are no key',
      reason: 'proof_failed',
      more: { publicKey: Buffer.alloc(44).toString('base64') },
    },
    {
      what: 'the key on another machine',
      reason: 'machine_mismatch',
      more: { machineSha256: 'cd'.repeat(32) },
    },
    {
      what: 'the key in another process than the linked one',
      reason: 'not_linked',
      more: { instanceId: 'i-2' },
    },
    { what: 'a member of another kind', reason: 'protocol_error', more: { proof: 7 as never } },
  ])('is refused with $what: $reason', async ({ reason, more, key }) => {
    const agent = await stage.dial();
    await agent.upgrade();
    const hello = agent.hello(key ?? stage.key, stage.certificateSha256, more);
    expect(await agent.say(hello)).toMatchObject({ type: 'refused', reason });
    await agent.closed;
    expect(stage.book.openCount).toBe(0);
  });

  it('is refused while its host has no link', async () => {
    stage.linkedInstanceId = null;
    const agent = await stage.dial();
    await agent.upgrade();
    expect(await agent.say(agent.hello(stage.key, stage.certificateSha256))).toMatchObject({
      reason: 'not_linked',
    });
  });

  it('is refused with a revoked key', async () => {
    stage.store.refused.set(stage.key.publicKey, { hostName: 'motoko', reason: 'revoked', refusedAtMs: 0 });
    const agent = await stage.dial();
    await agent.upgrade();
    expect(await agent.say(agent.hello(stage.key, stage.certificateSha256))).toMatchObject({
      reason: 'revoked',
    });
  });

  it('may come again where the registry could not say who it is', async () => {
    stage.store.failure = new Error('disk');
    const agent = await stage.dial();
    await agent.upgrade();
    expect(await agent.say(agent.hello(stage.key, stage.certificateSha256))).toMatchObject({
      reason: 'unavailable',
    });
  });
});

describe('what is no agent', () => {
  it.each([
    ['no JSON', 'x'.repeat(100)],
    ['half a value', '{"publicKey":'],
    ['a list', '[1, 2]'],
    ['bytes that are no text', '\u0000\u0001\ufffd'],
  ])('is refused: %s', async (_, line) => {
    const agent = await stage.dial();
    await agent.upgrade();
    agent.socket.write(`${line}\n`);
    expect(JSON.parse(await agent.line())).toMatchObject({ type: 'refused', reason: 'protocol_error' });
    await agent.closed;
  });

  it('is cut off when its first line does not end', async () => {
    const agent = await stage.dial();
    await agent.upgrade();
    agent.socket.write('x'.repeat(100_000));
    await agent.closed;
    expect(stage.server.unprovenCount).toBe(0);
  });

  it('that sends its hello in one piece with the request is not misread', async () => {
    const agent = await stage.dial();
    agent.socket.write(
      `GET ${TUNNEL_PATH} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: ${TUNNEL_PROTOCOL}\r\n\r\n{"a":1}\n`,
    );
    for (let line = await agent.line(); line.trim() !== ''; line = await agent.line());
    expect(JSON.parse(await agent.line())).toMatchObject({ reason: 'protocol_error' });
  });

  it('may not try on and on', async () => {
    for (let attempt = 0; attempt < 40; attempt++) {
      const agent = await stage.dial();
      const first = await agent.upgrade().catch(() => 'ended');
      if (first !== 'HTTP/1.1 101 Switching Protocols') {
        expect(first).toBe('HTTP/1.1 503 Service Unavailable');
        return;
      }
      await agent.say({ nothing: true });
    }
    throw new Error('it was never told to stop');
  });

  it.each([
    ['before its hello', async () => undefined],
    [
      'in the middle of its hello',
      async (agent: { socket: { write(text: string): unknown } }) => agent.socket.write('{"pub'),
    ],
  ])('leaves nothing behind when it goes %s', async (_, act) => {
    const agent = await stage.dial();
    await agent.upgrade();
    await act(agent);
    agent.socket.destroy();
    await until('nothing is left', () => stage.server.unprovenCount === 0);
  });
});

describe('a host', () => {
  it('has one tunnel: a newer one takes the place of the older, whose streams end in an error', async () => {
    const first = await stage.open((stream) => stream.respond({ ':status': 200 }));
    const asked = stage.book.tunnel('motoko');
    const reply = await asked?.request({
      deployment: 'chat',
      method: 'GET',
      path: '/v1/models',
      headers: {},
    });
    const broken = once(reply?.body ?? first.socket, 'error');
    await stage.open((stream) => stream.respond({ ':status': 204 }, { endStream: true }));
    await broken;
    await first.closed;
    expect(stage.book.openCount).toBe(1);
    expect(stage.live.host('motoko')?.tunnelUp).toBe(true);
    const again = await stage.book
      .tunnel('motoko')
      ?.request({ deployment: 'chat', method: 'GET', path: '/v1/models', headers: {} });
    expect(again?.status).toBe(204);
  });

  it('that is revoked has no tunnel any more, at once', async () => {
    const agent = await stage.open((stream) => stream.respond({ ':status': 200 }));
    const reply = await stage.book
      .tunnel('motoko')
      ?.request({ deployment: 'chat', method: 'GET', path: '/v1/models', headers: {} });
    const broken = once(reply?.body ?? agent.socket, 'error');
    stage.book.endHost('motoko', 'revoked');
    expect(stage.book.tunnel('motoko')).toBeUndefined();
    await broken;
    await agent.closed;
    await until('nobody thinks it open', () => stage.live.host('motoko')?.tunnelUp === false);
  });

  it('that is gone without a word has no tunnel any more', async () => {
    const agent = await stage.open(() => undefined);
    agent.socket.destroy();
    await until('its end', () => stage.book.openCount === 0);
    expect(stage.live.host('motoko')?.tunnelUp).toBe(false);
  });

  it('that sends garbage after its welcome loses the tunnel', async () => {
    const agent = await stage.dial();
    await agent.upgrade();
    await agent.say(agent.hello(stage.key, stage.certificateSha256));
    agent.socket.write(Buffer.alloc(4_096, 'garbage'));
    await agent.closed;
    await until('its end', () => stage.book.openCount === 0);
  });
});
