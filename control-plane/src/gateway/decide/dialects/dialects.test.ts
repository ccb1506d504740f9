import { describe, expect, it } from 'vitest';
import { AUDIO } from './audio.js';
import { CHAT } from './chat.js';
import type { Dialect } from './dialect.js';
import { MESSAGES } from './messages.js';
import { RESPONSES } from './responses.js';
import { SCORES } from './scores.js';

/** What a reader makes of these events, one after the other, and of their usage. */
function readAll(dialect: Dialect, events: readonly string[], choices = 1) {
  const reader = dialect.createReader(choices);
  const before = 'data: before\n\n';
  const verdicts = events.map((event) => {
    const bytes = Buffer.from(`${before}${event}event: message_stop\ndata: [DONE]\n\n`);
    return reader.read(bytes, before.length, before.length + Buffer.byteLength(event));
  });
  return { verdicts, usage: reader.usage(), isFinished: reader.isFinished };
}

const named = (name: string, data: object, lineEnd = '\n'): string =>
  `event: ${name}${lineEnd}data: ${JSON.stringify({ ...data, type: name })}${lineEnd}${lineEnd}`;
const bare = (data: object | string): string =>
  `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

describe('a stream of responses', () => {
  const usage = {
    input_tokens: 36,
    output_tokens: 87,
    total_tokens: 123,
    input_tokens_details: { cached_tokens: 16 },
  };

  it.each(['response.completed', 'response.incomplete'])('is whole at %s, which has the usage', (last) => {
    const read = readAll(RESPONSES, [
      named('response.created', { response: { usage: null } }),
      named('response.output_text.delta', { delta: 'response.completed' }),
      named(last, { response: { id: 'r', usage } }),
    ]);
    expect(read).toEqual({
      verdicts: ['data', 'data', 'done'],
      usage: { promptTokens: 36, completionTokens: 87, cachedTokens: 16 },
      isFinished: false,
    });
  });

  it('tells an error with its end, and one without', () => {
    expect(
      readAll(RESPONSES, [
        named('error', { message: 'x' }),
        named('response.failed', { response: { error: {}, usage: null } }),
      ]),
    ).toMatchObject({ verdicts: ['error', 'failed'], usage: null });
  });

  it('is read by the type in its data where the engine leaves the name out, and with CRLF', () => {
    expect(
      readAll(RESPONSES, [
        bare({ type: 'response.output_text.delta', delta: 'a' }),
        bare({ response: { usage }, type: 'response.completed' }),
        bare('[DONE]'),
        named('response.completed', { response: { usage } }, '\r\n'),
        ': a comment\n\n',
        'data: {"broken\n\n',
        named('response.completed.not', {}),
      ]).verdicts,
    ).toEqual(['data', 'done', 'done', 'done', 'data', 'data', 'data']);
  });
});

describe('a stream of messages', () => {
  const start = (usage: object) => named('message_start', { message: { id: 'msg_1', usage } });

  it('is whole at message_stop; its first event tells the prompt, its last but one the answer', () => {
    const read = readAll(MESSAGES, [
      start({
        input_tokens: 20,
        cache_read_input_tokens: 100,
        cache_creation_input_tokens: 5,
        output_tokens: 1,
      }),
      named('ping', {}),
      named('content_block_delta', { delta: { text: 'event: message_stop' } }),
      named('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 15 } }),
      named('message_stop', {}),
      bare('[DONE]'),
    ]);
    expect(read).toEqual({
      verdicts: ['data', 'data', 'data', 'data', 'done', 'data'],
      usage: { promptTokens: 125, completionTokens: 15, cachedTokens: 100 },
      isFinished: false,
    });
  });

  it("tells the prompt in its last event but one where it is vLLM's", () => {
    const delta = named('message_delta', { usage: { input_tokens: 21, output_tokens: 4 } });
    const { usage } = readAll(MESSAGES, [start({ input_tokens: 0, output_tokens: 0 }), delta]);
    expect(usage).toEqual({ promptTokens: 21, completionTokens: 4, cachedTokens: null });
  });

  it('tells an error', () => {
    expect(readAll(MESSAGES, [named('error', { error: { type: 'overloaded_error' } })])).toMatchObject({
      verdicts: ['error'],
      usage: null,
    });
  });
});

describe('a stream of a transcription', () => {
  it("is a chat's where vLLM writes it", () => {
    const chunk = (finish: string | null) =>
      bare({ object: 'transcription.chunk', choices: [{ delta: { content: 'a' }, finish_reason: finish }] });
    const read = readAll(AUDIO, [
      chunk(null),
      chunk('stop'),
      bare({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 2 } }),
      bare('[DONE]'),
    ]);
    expect(read).toEqual({
      verdicts: ['data', 'data', 'usage', 'done'],
      usage: { promptTokens: 9, completionTokens: 2, cachedTokens: null },
      isFinished: true,
    });
  });

  it('ends with a type of its own where OpenAI writes it', () => {
    const read = readAll(AUDIO, [
      bare({ type: 'transcript.text.delta', delta: '"transcript.text.done"' }),
      bare({ type: 'transcript.text.done', text: 'a', usage: { input_tokens: 14, output_tokens: 3 } }),
    ]);
    expect(read).toMatchObject({
      verdicts: ['data', 'done'],
      usage: { promptTokens: 14, completionTokens: 3 },
    });
  });
});

describe('the usage of a whole answer', () => {
  const read = (dialect: Dialect, answer: object) =>
    dialect.readAnswerUsage(Buffer.from(JSON.stringify(answer)));

  it.each([
    ['a chat', CHAT, { prompt_tokens: 3, completion_tokens: 4 }, [3, 4, null]],
    [
      'a response',
      RESPONSES,
      { input_tokens: 3, output_tokens: 4, input_tokens_details: { cached_tokens: 2 } },
      [3, 4, 2],
    ],
    ['a message', MESSAGES, { input_tokens: 3, output_tokens: 4, cache_read_input_tokens: 2 }, [5, 4, 2]],
    ['a rerank', SCORES, { total_tokens: 7 }, [7, null, null]],
    ['a score', SCORES, { prompt_tokens: 7, total_tokens: 7, completion_tokens: 0 }, [7, 0, null]],
    [
      'a transcription',
      AUDIO,
      { type: 'tokens', input_tokens: 3, output_tokens: 4, total_tokens: 7 },
      [3, 4, null],
    ],
  ])('of %s', (_, dialect, usage, [promptTokens, completionTokens, cachedTokens]) => {
    expect(read(dialect, { id: 'x', usage, text: 'y' })).toEqual({
      promptTokens,
      completionTokens,
      cachedTokens,
    });
  });

  it.each([RESPONSES, MESSAGES, AUDIO, SCORES])('is none where nothing is counted in tokens', (dialect) => {
    expect(read(dialect, { usage: { type: 'duration', seconds: 5 } })).toBeNull();
    expect(read(dialect, { usage: null })).toBeNull();
    expect(read(dialect, {})).toBeNull();
    expect(dialect.readAnswerUsage(Buffer.from('{"usage":{'))).toBe('broken');
  });
});
