import { constants, type ServerHttp2Stream } from 'node:http2';
import { Readable } from 'node:stream';
import { TUNNEL_ERROR_HEADER, TUNNEL_STREAM_WINDOW_BYTES } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../live/testing/until.js';
import type { RawAgentTunnel } from '../../tunnel/testing/raw-agent-tunnel.js';
import { TunnelStage } from '../../tunnel/testing/tunnel-stage.js';
import { Deadlines } from '../deadlines.js';
import type { AttemptFailure } from '../decide/attempt-failure.js';
import { Http2Call } from './http2-call.js';
import type { AnswerHeaders, AnswerListener, CallBody } from './upstream-call.js';

type Handler = (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void;

let clock: ManualClock;
let stage: TunnelStage;
let deadlines: Deadlines;
beforeEach(async () => {
  clock = new ManualClock();
  stage = await TunnelStage.start(clock);
  deadlines = new Deadlines(clock, 100);
});
afterEach(() => stage.close());

/** What is heard of one call, in order. */
class Heard implements AnswerListener {
  readonly events: string[] = [];
  text = '';
  bytes = 0;
  failure: AttemptFailure | null = null;

  onAnswerStart(status: number, headers: AnswerHeaders): void {
    this.events.push(`head ${status} ${headers['content-type'] ?? ''}`.trim());
  }
  onAnswerData(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.bytes < 10_000) this.text += String(chunk);
    if (this.events.at(-1) !== 'data') this.events.push('data');
  }
  onAnswerEnd(): void {
    this.events.push('end');
  }
  onAnswerFailed(failure: AttemptFailure): void {
    this.failure = failure;
    this.events.push(`failed ${failure.code}`);
  }
  onStalled(): void {
    this.events.push('stalled');
  }
  get isOver(): boolean {
    return this.events.some((event) => event === 'end' || event.startsWith('failed'));
  }
}

function ask(given: string | CallBody = '{"model":"m"}') {
  const body = typeof given === 'string' ? Buffer.from(given) : given;
  const heard = new Heard();
  const path = '/v1/chat/completions';
  const request = { path, headers: ['content-type', 'application/json'], body };
  const timeouts = {
    firstByteMs: 5_000,
    idleMs: 4_000,
    totalAtMs: clock.monotonicMs() + 60_000,
    pausedMs: 3_000,
  };
  const terms = { timeouts, deadlines, clock, askedAtMs: clock.monotonicMs() };
  const address = { kind: 'tunnel', host: 'motoko', deployment: 'chat', path } as const;
  const call = new Http2Call(heard, request, terms, address, stage.book);
  call.send();
  return { call, heard };
}

const over = (heard: Heard): Promise<void> => until('the call is over', () => heard.isOver);

/** An agent that keeps what it is asked. */
async function agentThat(handle: Handler = () => undefined) {
  const streams: ServerHttp2Stream[] = [];
  const agent = await stage.open((stream, headers) => {
    streams.push(stream);
    handle(stream, headers);
  });
  return { agent, streams };
}

const begin: Handler = (stream) => {
  stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
  stream.write('data: one\n\n');
};

async function begun() {
  const { agent, streams } = await agentThat(begin);
  const asked = ask();
  await until('the answer began', () => asked.heard.bytes > 0);
  return { agent, stream: streams[0] as ServerHttp2Stream, ...asked };
}

describe('a call through a tunnel', () => {
  it('brings a body as it is read, no faster than the agent takes it', async () => {
    const bytes = Buffer.alloc(3_000_000, 'abcdefg');
    let read = 0;
    const source = new Readable({
      read() {
        this.push(read < bytes.length ? bytes.subarray(read, read + 64 * 1024) : null);
        read += 64 * 1024;
      },
    });
    const { streams } = await agentThat((stream) => void stream.pause());
    const { heard } = ask({ length: bytes.length, open: () => source });
    await until('the agent has it', () => streams.length === 1);
    await until('it is held up', () => read > 0 && source.isPaused());
    expect(read).toBeLessThan(bytes.length);

    const [stream] = streams as [ServerHttp2Stream];
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/json' });
      stream.end('{}');
    });
    await over(heard);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    expect(heard.events).toEqual(['head 200 application/json', 'data', 'end']);
  });

  it('lets go of a body when it is given up', async () => {
    const source = new Readable({ read: () => undefined });
    const { streams } = await agentThat();
    const { call } = ask({ length: 9, open: () => source });
    await until('the agent has it', () => streams.length === 1);
    call.abort();
    await until('the body is let go of', () => source.destroyed);
  });

  it('brings its headers and its body, and tells of head, data and end', async () => {
    const heads: Record<string, unknown>[] = [];
    await agentThat(async (stream, headers) => {
      heads.push(headers);
      let body = '';
      for await (const chunk of stream) body += String(chunk);
      stream.respond({ ':status': 200, 'content-type': 'application/json' });
      stream.end(`{"heard":${body}}`);
    });
    const { heard } = ask('{"a":1}');
    await over(heard);
    expect(heard.events).toEqual(['head 200 application/json', 'data', 'end']);
    expect(heard.text).toBe('{"heard":{"a":1}}');
    expect(heads[0]).toMatchObject({ 'content-length': '7', 'content-type': 'application/json' });
  });

  it('is told once of its end, whatever comes behind', async () => {
    const { agent, stream, heard } = await begun();
    stream.end();
    await over(heard);
    agent.socket.destroy();
    await until('the tunnel is gone', () => stage.book.openCount === 0);
    expect(heard.events).toEqual(['head 200 text/event-stream', 'data', 'end']);
  });

  it('fails at once where there is no tunnel', () => {
    expect(ask().heard.events).toEqual(['failed tunnel_down']);
  });
});

describe('a call that is paused', () => {
  it('stops its agent, loses nothing, and goes on where it stopped', async () => {
    const { stream, call, heard } = await begun();
    call.pause();
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let written = 0;
    while (stream.write(chunk)) written += 1;
    for (let more = 0; more < 63; more += 1) stream.write(chunk);
    stream.end();
    const before = heard.bytes;
    await until(
      'the window is full',
      () => stream.state.localWindowSize !== undefined && stream.writableLength > 0,
    );
    await turns();
    expect(heard.bytes - before).toBeLessThanOrEqual(TUNNEL_STREAM_WINDOW_BYTES);
    expect(stream.writableLength).toBeGreaterThan(0);
    call.resume();
    await over(heard);
    expect(heard.bytes).toBe(before + (written + 1 + 63) * chunk.length);
    expect(heard.events.at(-1)).toBe('end');
  });

  it('for longer than it may is told of', async () => {
    const { call, heard } = await begun();
    call.pause();
    clock.advance(3_200);
    expect(heard.events.at(-1)).toBe('stalled');
  });
});

describe('a call that is given up', () => {
  it.each(['before its answer', 'amid its answer'])(
    '%s is cancelled at the agent, and nothing more is heard',
    async (when) => {
      const { streams } = await agentThat(when === 'amid its answer' ? begin : undefined);
      const { call, heard } = ask();
      await until(
        'the agent has it',
        () => streams.length === 1 && (heard.bytes > 0 || when === 'before its answer'),
      );
      const told = [...heard.events];
      call.abort();
      call.abort();
      const stream = streams[0] as ServerHttp2Stream;
      await until('the agent knows', () => stream.closed);
      expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
      await turns();
      expect(heard.events).toEqual(told);
      expect(stage.book.tunnel('motoko')?.openStreams).toBe(0);
    },
  );

  it.each([
    ['without a first byte', 'first_byte_timeout', undefined, 5_200],
    ['without a next one', 'idle_timeout', begin, 4_200],
  ] as const)('%s in time is told so, and cancelled at the agent', async (_, code, handle, afterMs) => {
    const { streams } = await agentThat(handle);
    const { heard } = ask();
    await until('the agent has it', () => streams.length === 1 && (handle === undefined || heard.bytes > 0));
    clock.advance(afterMs);
    expect(heard.events.at(-1)).toBe(`failed ${code}`);
    await until('the agent knows', () => streams[0]?.closed === true);
    expect(streams[0]?.rstCode).toBe(constants.NGHTTP2_CANCEL);
  });
});

describe('a call that the agent ends', () => {
  const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM, NGHTTP2_NO_ERROR, NGHTTP2_CANCEL } = constants;

  it.each([
    ['by a reset', NGHTTP2_INTERNAL_ERROR, 'reset'],
    ['by a cancellation', NGHTTP2_CANCEL, 'reset'],
    ['without a word', NGHTTP2_NO_ERROR, 'reset'],
    ['because it has too many', NGHTTP2_REFUSED_STREAM, 'tunnel_busy'],
  ])('before an answer, %s', async (_, rstCode, code) => {
    await agentThat((stream) => stream.close(rstCode));
    const { heard } = ask();
    await over(heard);
    expect(heard.events).toEqual([`failed ${code}`]);
  });

  it('amid its answer by a reset is truncated, not whole', async () => {
    const { stream, heard } = await begun();
    stream.destroy(new Error('broken'));
    await over(heard);
    expect(heard.events).toEqual(['head 200 text/event-stream', 'data', 'failed truncated']);
  });

  it.each<[string, (agent: RawAgentTunnel) => void]>([
    ['its connection breaks', ({ socket }) => socket.destroy()],
    ['its connection ends', ({ socket }) => socket.end()],
    ['its session is destroyed', ({ session }) => session?.destroy()],
    ['its session fails', ({ session }) => session?.destroy(new Error('no'), NGHTTP2_INTERNAL_ERROR)],
  ])('when %s: neither a whole answer nor a fault of the engine', async (_, end) => {
    const { agent, heard } = await begun();
    const unanswered = ask();
    await until('both are asked', () => stage.book.tunnel('motoko')?.openStreams === 2);
    end(agent);
    await over(heard);
    await over(unanswered.heard);
    expect(heard.events.at(-1)).toBe('failed tunnel_down');
    expect(unanswered.heard.events.at(-1)).toBe('failed tunnel_down');
  });

  it('with GOAWAY: what is under way is finished, what comes new finds no tunnel', async () => {
    const { agent, stream, heard } = await begun();
    agent.session?.goaway();
    await until('the router is told', () => stage.live.host('motoko')?.tunnelUp === false);
    expect(ask().heard.events).toEqual(['failed tunnel_down']);
    stream.end('data: two\n\n');
    await over(heard);
    expect(heard.events.at(-1)).toBe('end');
    expect(heard.text).toBe('data: one\n\ndata: two\n\n');
  });
});

describe("the agent's own word", () => {
  const says =
    (code: string): Handler =>
    (stream) => {
      stream.respond({ ':status': 502, [TUNNEL_ERROR_HEADER]: code });
      stream.end('in words');
    };

  it.each([
    ['engine_refused', 'connect_refused'],
    ['engine_reset', 'reset'],
    ['engine_failed', 'protocol_error'],
    ['no_engine', 'tunnel_busy'],
    ['too_many_streams', 'tunnel_busy'],
    ['path_not_allowed', 'endpoint_unknown_there'],
    ['method_not_allowed', 'tunnel_refused'],
    ['of a later version', 'protocol_error'],
  ])('%s is no answer of the engine: %s', async (code, failure) => {
    await agentThat(says(code));
    const { heard } = ask();
    await over(heard);
    await turns();
    expect(heard.events).toEqual([`failed ${failure}`]);
  });

  it('that the connection to the engine was stale: asked once more, with its body', async () => {
    const bodies: string[] = [];
    const { streams } = await agentThat(async (stream, headers) => {
      if (streams.length === 1) return says('engine_stale')(stream, headers);
      let body = '';
      for await (const chunk of stream) body += String(chunk);
      bodies.push(body);
      stream.respond({ ':status': 200 });
      stream.end('ok');
    });
    const { heard } = ask('{"b":2}');
    await over(heard);
    expect(heard.events).toEqual(['head 200', 'data', 'end']);
    expect(bodies).toEqual(['{"b":2}']);
  });

  it('that it was stale a second time: told', async () => {
    const { streams } = await agentThat(says('engine_stale'));
    const { heard } = ask();
    await over(heard);
    expect(heard.events).toEqual(['failed reset']);
    expect(streams).toHaveLength(2);
  });
});

/** What is on its way through sockets of this process arrives. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
