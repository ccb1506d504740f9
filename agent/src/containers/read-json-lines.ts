import { noJsonRest, splitJsonLines } from './decide/split-json-lines.js';

/** The values of a stream of JSON lines, as they come. */
export async function* readJsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const utf8 = new TextDecoder();
  let rest = noJsonRest;
  for await (const chunk of chunks) {
    const split = splitJsonLines(rest, utf8.decode(chunk, { stream: true }));
    rest = split.rest;
    yield* split.values;
  }
  yield* splitJsonLines(rest, '\n').values;
}
