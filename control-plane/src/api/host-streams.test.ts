import { ManualClock } from '@ai-fabric/shared/testing';
import { describe, expect, test } from 'vitest';
import type { HostAnswer } from './host-calls.js';
import { HostStreams } from './host-streams.js';
import { FakeHostCalls, hostAnswer } from './testing/fake-host-calls.js';

const logs = { method: 'GET', path: '/agent/v1/logs/qwen' } as const;

function stage() {
  const calls = new FakeHostCalls();
  const clock = new ManualClock();
  return { calls, clock, streams: new HostStreams(calls, clock) };
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}

/** An endless body that counts what was taken of it, and whether it was told that nobody reads it any more. */
function endless() {
  const seen = { taken: 0, returned: false };
  const body: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        seen.taken += 1;
        return { done: false, value: Buffer.from('line\n') };
      },
      return: async () => {
        seen.returned = true;
        return { done: true, value: undefined };
      },
    }),
  };
  return { seen, answer: { status: 200, body } satisfies HostAnswer };
}

describe('an answer that goes on', () => {
  test('comes through as the agent sends it, asked for as it was asked for', async () => {
    const { calls, streams } = stage();
    calls.answer = async () => hostAnswer(200, '{"text":"a"}\n', '{"text":"b"}\n');
    const stream = await streams.open('armitage', logs, new AbortController().signal);
    expect(await textOf(stream)).toBe('{"text":"a"}\n{"text":"b"}\n');
    expect(calls.asked).toMatchObject([{ host: 'armitage', request: logs }]);
  });

  test('is fetched no faster than it is read', async () => {
    const { calls, streams } = stage();
    const { seen, answer } = endless();
    calls.answer = async () => answer;
    const reader = (await streams.open('armitage', logs, new AbortController().signal)).getReader();
    await reader.read();
    await new Promise(setImmediate);
    expect(seen.taken).toBeLessThanOrEqual(3);
    await reader.cancel();
  });

  test('ends on the host when its reader stops, and when its caller leaves', async () => {
    const { calls, streams } = stage();
    const { seen, answer } = endless();
    calls.answer = async () => answer;
    const stream = await streams.open('armitage', logs, new AbortController().signal);
    await stream.cancel();
    expect(seen.returned).toBe(true);
    expect(calls.asked[0]?.signal.aborted).toBe(true);
    const gone = new AbortController();
    await streams.open('armitage', logs, gone.signal);
    gone.abort();
    expect(calls.asked[1]?.signal.aborted).toBe(true);
  });

  test('is one of a bounded number, and makes room when it ends', async () => {
    const { calls, streams } = stage();
    calls.answer = async () => endless().answer;
    const begin = () => streams.open('armitage', logs, new AbortController().signal);
    const open = await Promise.all(Array.from({ length: 32 }, begin));
    await expect(begin()).rejects.toMatchObject({ code: 'too_many' });
    await open[0]?.cancel();
    await begin();
  });

  test('of a host without a tunnel is refused, and takes no room', async () => {
    const { streams } = stage();
    for (let tries = 0; tries < 40; tries += 1) {
      const opened = streams.open('armitage', logs, new AbortController().signal);
      await expect(opened).rejects.toMatchObject({ code: 'no_tunnel' });
    }
  });

  test('that the agent does not have is told in its words', async () => {
    const { calls, streams } = stage();
    calls.answer = async () => hostAnswer(404, '{"detail":"no container yet"}');
    const opened = streams.open('armitage', logs, new AbortController().signal);
    await expect(opened).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('no container yet'),
    });
  });

  test('that does not begin in time is given up', async () => {
    const { calls, clock, streams } = stage();
    calls.answer = (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    const opened = streams.open('armitage', logs, new AbortController().signal);
    const refused = expect(opened).rejects.toMatchObject({ code: 'host_unanswered' });
    clock.advance(15_000);
    await refused;
  });

  test('whose tunnel breaks is an error in the stream, and makes room', async () => {
    const { calls, streams } = stage();
    calls.answer = async () => ({
      status: 200,
      body: (async function* () {
        yield Buffer.from('one\n');
        throw new Error('the tunnel broke');
      })(),
    });
    const stream = await streams.open('armitage', logs, new AbortController().signal);
    await expect(textOf(stream)).rejects.toThrow('the tunnel broke');
    expect(calls.asked[0]?.signal.aborted).toBe(true);
  });
});
