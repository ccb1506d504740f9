import type { LogLine } from '../container-engine.js';
import type { LogPiece } from './split-log-frames.js';

/** An unfinished line of one stream. */
interface OpenLine {
  readonly parts: readonly Uint8Array[];
  readonly keptBytes: number;
  readonly droppedBytes: number;
}

/** The unfinished lines of both streams. */
export interface LineRests {
  readonly stdout: OpenLine;
  readonly stderr: OpenLine;
}

const EMPTY: OpenLine = { parts: [], keptBytes: 0, droppedBytes: 0 };
export const noLineRests: LineRests = { stdout: EMPTY, stderr: EMPTY };

const MAX_TEXT_LENGTH = 4096;
/** Enough for that text in any script, with the time before it. */
const MAX_KEPT_BYTES = 4 * MAX_TEXT_LENGTH + 64;
const NEWLINE = 10;
/** One that begins with a byte order mark keeps it; bytes that are no UTF-8 become U+FFFD. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Takes a piece in and gives the lines that it ended, each with the time that the engine wrote before it. */
export function cutLogLines(
  rests: LineRests,
  { stream, bytes }: LogPiece,
): { readonly lines: readonly LogLine[]; readonly rests: LineRests } {
  const lines: LogLine[] = [];
  let open = rests[stream];
  let from = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
    lines.push(finish(append(open, bytes.subarray(from, end)), stream));
    open = EMPTY;
    from = end + 1;
  }
  return { lines, rests: { ...rests, [stream]: append(open, bytes.subarray(from)) } };
}

/** What was written last, without an end of line. */
export function endLogLines({ stdout, stderr }: LineRests): readonly LogLine[] {
  return [
    ...(stdout.keptBytes > 0 ? [finish(stdout, 'stdout')] : []),
    ...(stderr.keptBytes > 0 ? [finish(stderr, 'stderr')] : []),
  ];
}

function append(open: OpenLine, bytes: Uint8Array): OpenLine {
  if (bytes.length === 0) return open;
  // A copy: the piece is a part of a larger buffer, which this would keep alive.
  const kept = bytes.slice(0, MAX_KEPT_BYTES - open.keptBytes);
  return {
    parts: kept.length === 0 ? open.parts : [...open.parts, kept],
    keptBytes: open.keptBytes + kept.length,
    droppedBytes: open.droppedBytes + bytes.length - kept.length,
  };
}

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?/;

function finish({ parts, keptBytes, droppedBytes }: OpenLine, stream: LogLine['stream']): LogLine {
  const whole = utf8.decode(joinAll(parts, keptBytes));
  const time = TIME.exec(whole);
  const atMs = time ? Date.parse(time[1] as string) : Number.NaN;
  const text = lastState(time ? whole.slice(time[0].length) : whole);
  return { atMs: Number.isNaN(atMs) ? null : atMs, stream, text: shorten(text, droppedBytes) };
}

/** A progress bar writes itself anew behind each carriage return: the last state is what stands on a screen. */
function lastState(text: string): string {
  const trimmed = text.replace(/\r+$/, '');
  return trimmed.slice(trimmed.lastIndexOf('\r') + 1);
}

function shorten(text: string, droppedBytes: number): string {
  if (text.length <= MAX_TEXT_LENGTH && droppedBytes === 0) return text;
  const cut = text.slice(0, MAX_TEXT_LENGTH - 40);
  // Half a surrogate pair is no character.
  const kept = /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
  return `${kept}… [${text.length - kept.length + droppedBytes} more]`;
}

function joinAll(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
