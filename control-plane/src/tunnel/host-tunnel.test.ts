import { once } from 'node:events';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { MAX_TUNNEL_STREAMS } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { declaredOf } from '../live/testing/live-fixtures.js';
import { until } from '../live/testing/until.js';
import type { HostTunnel } from './host-tunnel.js';
import { TunnelStage } from './testing/tunnel-stage.js';

const clock = new ManualClock();
let stage: TunnelStage;
beforeEach(async () => {
  stage = await TunnelStage.start(clock);
});
afterEach(() => stage.close());

type Handler = (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void;

async function opened(handle: Handler) {
  const agent = await stage.open(handle);
  const tunnel = stage.book.tunnel('motoko');
  if (tunnel === undefined) throw new Error('no tunnel');
  return { agent, tunnel };
}

async function textOf(body: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  for await (const chunk of body) text += String(chunk);
  return text;
}

const MODELS = { deployment: 'chat', method: 'GET', path: '/v1/models', headers: {} } as const;
const CHAT = { deployment: 'chat', method: 'POST', path: '/v1/chat/completions', headers: {} } as const;

describe('a question through the tunnel', () => {
  it('comes with its deployment as authority, its headers and its body, and gets the answer', async () => {
    const seen: Record<string, unknown>[] = [];
    const { tunnel } = await opened(async (stream, headers) => {
      seen.push(headers);
      const body = await textOf(stream);
      stream.respond({ ':status': 201, 'x-answer': 'yes' });
      stream.end(`you said ${body}`);
    });
    const headers = { 'content-type': 'application/json', traceparent: '00-1-2-3' };
    const reply = await tunnel.request({ ...CHAT, headers, body: '{"a":1}' });
    expect(reply).toMatchObject({ status: 201, error: null });
    expect(reply.headers['x-answer']).toBe('yes');
    expect(await textOf(reply.body)).toBe('you said {"a":1}');
    expect(seen[0]).toMatchObject({
      ':authority': 'chat',
      ':method': 'POST',
      ':path': '/v1/chat/completions',
      'content-type': 'application/json',
      traceparent: '00-1-2-3',
    });
    expect(tunnel.openStreams).toBe(0);
  });

  it('may be to the agent itself', async () => {
    const { tunnel } = await opened((stream, headers) => {
      stream.respond({ ':status': 200 });
      stream.end(`${headers[':authority']} ${headers[':path']}`);
    });
    const path = '/agent/v1/logs/chat?follow=1';
    const reply = await tunnel.request({ deployment: 'agent.fabric', method: 'GET', path, headers: {} });
    expect(await textOf(reply.body)).toBe(`agent.fabric ${path}`);
  });

  it.each(['elsewhere', 'never-declared', ''])(
    'is not sent for %j, which is not declared there',
    async (deployment) => {
      const { tunnel } = await opened(() => {
        throw new Error('nothing should come');
      });
      expect(tunnel.open({ ...CHAT, deployment }, false)).toBe('not_declared');
      await expect(tunnel.request({ ...CHAT, deployment })).rejects.toMatchObject({ code: 'not_declared' });
    },
  );

  it('is not sent any more when the deployment moved to another host', async () => {
    const { tunnel } = await opened((stream) => stream.respond({ ':status': 204 }, { endStream: true }));
    expect((await tunnel.request(MODELS)).status).toBe(204);
    stage.declared.replace(declaredOf({ motoko: [], armitage: ['chat'] }, 2));
    await expect(tunnel.request(MODELS)).rejects.toMatchObject({ code: 'not_declared' });
  });

  it.each(['path_not_allowed', 'no_engine', 'engine_refused'])(
    'tells what the agent says of itself: %s',
    async (code) => {
      const { tunnel } = await opened((stream) => {
        stream.respond({ ':status': 404, 'x-fabric-tunnel-error': code });
        stream.end();
      });
      expect((await tunnel.request(MODELS)).error).toBe(code);
    },
  );

  it('has a bound on how many go at once, and room again when one is over', async () => {
    const held: ServerHttp2Stream[] = [];
    const { tunnel } = await opened((stream) => held.push(stream));
    const streams = Array.from({ length: MAX_TUNNEL_STREAMS }, () => tunnel.open(CHAT, false));
    expect(streams.filter((stream) => typeof stream === 'string')).toEqual([]);
    expect(tunnel.open(CHAT, false)).toBe('tunnel_busy');
    await expect(tunnel.request(MODELS)).rejects.toMatchObject({ code: 'tunnel_busy' });
    await until('all are there', () => held.length === MAX_TUNNEL_STREAMS);
    held[0]?.respond({ ':status': 204 }, { endStream: true });
    await until('one is over', () => tunnel.openStreams < MAX_TUNNEL_STREAMS);
    expect(typeof tunnel.open(CHAT, false)).toBe('object');
  });

  it('that is given up before it is sent is never sent', async () => {
    const { tunnel } = await opened(() => {
      throw new Error('nothing should come');
    });
    await expect(tunnel.request(MODELS, AbortSignal.abort(new Error('left')))).rejects.toThrow('left');
    expect(tunnel.openStreams).toBe(0);
  });

  it('that is given up is cancelled at the agent', async () => {
    const codes: (number | undefined)[] = [];
    const { tunnel } = await opened((stream) => stream.on('close', () => codes.push(stream.rstCode)));
    const leave = new AbortController();
    const reply = tunnel.request(MODELS, leave.signal);
    await until('it is asked', () => tunnel.openStreams === 1);
    leave.abort(new Error('left'));
    await expect(reply).rejects.toThrow('left');
    await until('the agent knows', () => codes.length === 1);
    expect(codes).toEqual([constants.NGHTTP2_CANCEL]);
  });

  it('waits with its body for an agent that does not read', async () => {
    const { tunnel, agent } = await opened((stream) => stream.respond({ ':status': 200 }));
    const stream = tunnel.open(CHAT, true);
    if (typeof stream === 'string') throw new Error(stream);
    stream.on('error', () => undefined);
    const chunk = Buffer.alloc(1024 * 1024);
    let written = 0;
    while (stream.write(chunk) && written < 64) written += 1;
    expect(written).toBeLessThan(4);
    let drained = false;
    stream.once('drain', () => {
      drained = true;
    });
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(drained).toBe(false);
    agent.socket.destroy();
    await once(stream, 'close');
  });
});

describe('a tunnel that dies', () => {
  async function streaming(): Promise<{ tunnel: HostTunnel; body: AsyncIterable<unknown>; kill(): void }> {
    const { agent, tunnel } = await opened((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
      stream.write('data: one\n\n');
    });
    const reply = await tunnel.request({ ...CHAT, body: '{}' });
    return { tunnel, body: reply.body, kill: () => agent.socket.destroy() };
  }

  it('fails what is under way', async () => {
    const { body, kill } = await streaming();
    const read = textOf(body);
    kill();
    await expect(read).rejects.toThrow();
    await until('its end', () => stage.book.openCount === 0);
  });

  it('fails a question that has no answer yet, typed', async () => {
    const { agent, tunnel } = await opened(() => undefined);
    const asked = tunnel.request(MODELS);
    await until('it is asked', () => tunnel.openStreams === 1);
    agent.socket.destroy();
    await expect(asked).rejects.toThrow();
    await until('its end', () => stage.book.openCount === 0);
    expect(tunnel.open(MODELS, false)).toBe('tunnel_down');
  });

  it('is down for new questions as soon as its agent says that it goes, and not for those under way', async () => {
    const answers: ServerHttp2Stream[] = [];
    const { agent, tunnel } = await opened((stream) => {
      stream.respond({ ':status': 200 });
      answers.push(stream);
    });
    const reply = await tunnel.request(MODELS);
    agent.session?.goaway();
    await until('the router is told', () => stage.live.host('motoko')?.tunnelUp === false);
    expect(stage.book.tunnel('motoko')).toBeUndefined();
    answers[0]?.end('whole');
    expect(await textOf(reply.body)).toBe('whole');
  });

  it('is found out though nobody says so: eleven seconds after its last sign of life', async () => {
    const { agent, tunnel } = await opened((stream) => stream.respond({ ':status': 200 }));
    const reply = await tunnel.request(MODELS);
    const read = textOf(reply.body);
    // What comes is not read any more, as behind a cable that was pulled.
    agent.socket.pause();
    (agent.socket as unknown as { _handle: { readStop(): void } })._handle.readStop();
    clock.advance(5_000);
    clock.advance(6_000);
    await expect(read).rejects.toThrow();
    await until('its end', () => stage.book.openCount === 0);
  });

  it('lives on for as long as its pings are answered', async () => {
    const { tunnel } = await opened((stream) => stream.respond({ ':status': 204 }, { endStream: true }));
    for (let round = 0; round < 5; round++) {
      clock.advance(5_000);
      // The answer to a question comes behind the answer to the ping.
      expect((await tunnel.request(MODELS)).status).toBe(204);
    }
    expect(stage.book.openCount).toBe(1);
  });
});
