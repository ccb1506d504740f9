/** A line longer than this is no reading: it is reported cut, and its rest is thrown away. */
export const MAX_LINE_LENGTH = 4096;

/** What is left of the last, unfinished line. */
export interface LineRest {
  readonly text: string;
  /** The line was already reported as too long: drop everything up to its end. */
  readonly overlong: boolean;
}

export const noLineRest: LineRest = { text: '', overlong: false };

/**
 * Cuts a stream's next piece into whole lines, without their ends ("\n" or "\r\n") and without empty ones. What is
 * kept between two calls is bounded. An endless line is reported again with every piece, so that a flood is noticed.
 */
export function splitLines(
  rest: LineRest,
  piece: string,
): { readonly lines: string[]; readonly rest: LineRest } {
  const parts = piece.split('\n');
  const lines: string[] = [];
  let { text, overlong } = rest;
  for (let at = 0; at < parts.length; at += 1) {
    const part = parts[at] as string;
    text = overlong ? part.slice(0, MAX_LINE_LENGTH) : text + part.slice(0, MAX_LINE_LENGTH + 1);
    const tooLong = overlong || text.length > MAX_LINE_LENGTH;
    const ended = at < parts.length - 1;
    if (tooLong) {
      if (!overlong || (!ended && part !== '')) lines.push(text.slice(0, MAX_LINE_LENGTH));
      overlong = !ended;
      text = '';
    } else if (ended) {
      pushLine(lines, text);
      text = '';
    }
  }
  return { lines, rest: { text, overlong } };
}

function pushLine(lines: string[], text: string): void {
  const line = text.endsWith('\r') ? text.slice(0, -1) : text;
  if (line.trim() !== '') lines.push(line);
}
