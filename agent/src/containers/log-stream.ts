import type { LogLine, LogOptions } from './container-engine.js';
import { cutLogLines, endLogLines, noLineRests } from './decide/cut-log-lines.js';
import { endLogFrames, noFrameRest, splitLogFrames } from './decide/split-log-frames.js';
import { type EngineCalls, LOOK_DEADLINE_MS, segment } from './engine-calls.js';

/** Without following, all that there is comes at once. */
const IDLE_MS = 30_000;

/** The lines of a container's log, in order; the reader's pace is the engine's. */
export async function* readLogs(
  calls: EngineCalls,
  id: string,
  { follow, sinceMs, tailLines }: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const query = new URLSearchParams({
    stdout: 'true',
    stderr: 'true',
    timestamps: 'true',
    follow: String(follow),
  });
  // Whole seconds: what Podman makes of a fraction differs between versions. The rest is cut off below.
  if (sinceMs !== undefined) query.set('since', String(Math.floor(sinceMs / 1000)));
  query.set('tail', tailLines === undefined ? 'all' : String(tailLines));
  const path = `/containers/${segment(id)}/logs?${query.toString()}`;
  const stream = await calls.open(
    { doing: 'other', method: 'GET', path, deadlineMs: LOOK_DEADLINE_MS },
    signal,
    follow ? {} : { idleMs: IDLE_MS },
  );
  for await (const line of linesOf(stream.chunks)) {
    if (sinceMs === undefined || line.atMs === null || !isBefore(line.atMs, sinceMs)) yield line;
  }
}

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LogLine> {
  let frames = noFrameRest;
  let rests = noLineRests;
  for await (const chunk of chunks) {
    const split = splitLogFrames(frames, chunk);
    frames = split.rest;
    for (const piece of split.pieces) {
      const cut = cutLogLines(rests, piece);
      rests = cut.rests;
      yield* cut.lines;
    }
  }
  for (const piece of endLogFrames(frames)) {
    const cut = cutLogLines(rests, piece);
    rests = cut.rests;
    yield* cut.lines;
  }
  yield* endLogLines(rests);
}

/** A time of whole seconds (Podman 4) may stand for any moment of that second. */
function isBefore(atMs: number, sinceMs: number): boolean {
  return atMs % 1000 === 0 ? atMs + 999 < sinceMs : atMs < sinceMs;
}
