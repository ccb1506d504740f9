/** A line longer than this is thrown away: no message of an engine comes near it. */
const MAX_LINE_LENGTH = 256 * 1024;

/** What is left of the last, unfinished line. */
export interface JsonRest {
  readonly text: string;
  /** It was already too long: drop everything up to its end. */
  readonly overlong: boolean;
}

export const noJsonRest: JsonRest = { text: '', overlong: false };

/** Cuts the next piece of a stream of JSON lines into values. Lines that are no JSON are left out. */
export function splitJsonLines(
  rest: JsonRest,
  piece: string,
): { readonly values: readonly unknown[]; readonly rest: JsonRest } {
  const values: unknown[] = [];
  let { text, overlong } = rest;
  let from = 0;
  for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', from)) {
    const line = text + piece.slice(from, end);
    if (!overlong && line.length <= MAX_LINE_LENGTH) pushValue(values, line);
    text = '';
    overlong = false;
    from = end + 1;
  }
  if (!overlong) text += piece.slice(from);
  if (text.length > MAX_LINE_LENGTH) {
    overlong = true;
    text = '';
  }
  return { values, rest: { text, overlong } };
}

function pushValue(values: unknown[], line: string): void {
  if (line.trim() === '') return;
  try {
    values.push(JSON.parse(line));
  } catch {
    // Noise between messages: the next line is another chance.
  }
}
