import type { ServerResponse } from 'node:http';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRouter } from './testing/fake-router.js';
import { ask, TestGateway } from './testing/test-gateway.js';

const DONE = 'data: [DONE]\n\n';

interface Part {
  readonly text: string;
  /** The event that we asked for, and the client did not. */
  readonly isUsage: boolean;
}

const lineEnd = fc.constantFrom('\n', '\r\n');
/** Of any characters, but for line ends; a lone CR is none. */
const words = fc
  .string({ unit: 'binary', maxLength: 12 })
  .map((text) => text.replaceAll('\n', '').replace(/\r$/, ''));
const content = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.constant('"choices":[]'));
const usageJson = '{"id":"c","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}';

/** What may stand in an event stream, each with its blank line. */
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.tuple(content, lineEnd).map(([text, end]) => {
    const json = JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] });
    return { text: `data: ${json}${end}${end}`, isUsage: false };
  }),
  lineEnd.map((end) => ({ text: `data: ${usageJson}${end}${end}`, isUsage: true })),
  fc.tuple(words, lineEnd).map(([text, end]) => ({ text: `: ${text}${end}${end}`, isUsage: false })),
  fc
    .tuple(words, words, lineEnd)
    .map(([name, data, end]) => ({ text: `event: ${name}${end}data: x${data}${end}${end}`, isUsage: false })),
  fc.constantFrom('\n', '\r\n').map((text) => ({ text, isUsage: false })),
);

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const points = [...new Set([0, ...cuts.map((at) => at % bytes.length), bytes.length])].sort(
    (one, other) => one - other,
  );
  return points.slice(1).map((point, index) => bytes.subarray(points[index], point));
}

function send(response: ServerResponse, pieces: readonly Buffer[], then: () => void): void {
  const [piece, ...rest] = pieces;
  if (piece === undefined) then();
  else response.write(piece, () => setImmediate(() => send(response, rest, then)));
}

const asUtf8 = (text: string): string => Buffer.from(text).toString();
const seenOf = (parts: readonly Part[], wantsUsage: boolean): string =>
  asUtf8(
    parts
      .filter(({ isUsage }) => wantsUsage || !isUsage)
      .map(({ text }) => text)
      .join(''),
  );

describe('whatever an engine streams, in whatever pieces', () => {
  let router: FakeRouter;
  let test: TestGateway;
  let answer: (response: ServerResponse) => void;
  beforeEach(async () => {
    router = new FakeRouter();
    test = await new TestGateway(router).start();
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream');
        answer(response);
      }),
    );
  });
  afterEach(() => test.close());

  const askStream = (wantsUsage: boolean) => {
    const options = wantsUsage ? { stream_options: { include_usage: true } } : {};
    const body = JSON.stringify({ model: 'chat-fast', stream: true, ...options, messages: [] });
    return ask(`${test.url}/v1/chat/completions`, { body });
  };

  it('comes out as it went in, less the usage that the client did not ask for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.boolean(),
        async (parts, cuts, wantsUsage) => {
          const sent = Buffer.from(parts.map(({ text }) => text).join('') + DONE);
          answer = (response) => send(response, cut(sent, cuts), () => response.end());
          const { text } = await askStream(wantsUsage);
          expect(text).toBe(seenOf(parts, wantsUsage) + DONE);
        },
      ),
      { numRuns: 120 },
    );
    expect(router.inflight).toBe(0);
  });

  it('ends behind a whole event with one error event where the engine breaks off', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 5 }),
        fc.nat(),
        async (parts, cuts, endsAt) => {
          const first = { text: 'data: {"choices":[{"index":0}]}\n\n', isUsage: false };
          const all = [first, ...parts];
          const whole = Buffer.from(all.map(({ text }) => text).join(''));
          const sent = whole.subarray(
            0,
            first.text.length + (endsAt % (whole.length - first.text.length + 1)),
          );
          let length = 0;
          const arrived = all.filter(({ text }) => {
            length += Buffer.byteLength(text);
            return length <= sent.length;
          });
          answer = (response) => send(response, cut(sent, cuts), () => response.destroy());
          const { text, isWhole } = await askStream(false);
          expect(isWhole).toBe(true);
          const events = seenOf(arrived, false);
          expect(text.startsWith(events)).toBe(true);
          expect(text.slice(events.length)).toMatch(
            /^data: \{"error":\{[^\n]*"upstream_interrupted"\}\}\n\n$/,
          );
        },
      ),
      { numRuns: 80 },
    );
    expect(router.inflight).toBe(0);
  });
});
