import type { BenchProcess } from '../machine/bench-process.js';
import { pause } from '../machine/pause.js';
import type { Rounds } from '../rounds.js';
import type { Contender } from './contender.js';
import type { StreamLoadAnswer } from './load/stream-load.js';
import type { LoadTally } from './load-tally.js';
import type { Load } from './open-load.js';
import { chatRequest } from './sample-bodies.js';

/** Of one of a contender's turns in a round. */
const JSON_TURN_MS = 1_000;
const STREAMS = 200;
const MANY_STREAMS = 300;
const STREAM_WARM_UP_MS = 1_000;
const STREAM_TURN_MS = 2_000;
const GAPS_ROUND_MS = 4_000;
const PACED_PER_SECOND = 200;
const PACED_ROUND_MS = 4_000;
const LARGE_BODY_BYTES = 20_000_000;
const LARGE_BODY_DEADLINE_MS = 30_000;

type Target = Contender['target'];

/** One turn of requests on 64 connections, as many as are answered. */
export async function measureJson(
  contender: Contender,
  load: Load,
  rounds: Rounds,
  tally: LoadTally,
): Promise<void> {
  const { name, process, target } = contender;
  // Read once, so that the delays of this turn alone are in the next reading.
  await contender.metrics?.();
  const before = process.readings();
  const { answers, failures, durationMs } = await load.json(
    { ...target, body: chatRequest(false) },
    JSON_TURN_MS,
  );
  const after = process.readings();
  if (answers === 0 || failures > answers * contender.toleratedFailures) {
    throw new Error(`${name}: ${failures} of ${answers + failures} requests failed:\n${process.lastLines()}`);
  }
  tally.add(answers, durationMs, before, after);
  rounds.add(`rss_mb_${name}`, after.rssBytes / 1e6);
  if (contender.metrics) rounds.add('loop_delay_p99_ms', loopDelayMs(await contender.metrics()));
}

function loopDelayMs(metrics: string): number {
  const value = /^ai_fabric_event_loop_delay_p99_seconds (\S+)$/m.exec(metrics)?.[1];
  if (value === undefined) throw new Error('/metrics tells no delay of the event loop');
  return Number(value) * 1_000;
}

/** One turn of 200 streams. */
export async function measureStreams(contender: Contender, load: Load, tally: LoadTally): Promise<void> {
  const { name, process, target } = contender;
  await withStreams(name, target, STREAMS, load.streams, async () => {
    const begun = await load.streams.ask<StreamLoadAnswer>({ type: 'count' });
    const before = process.readings();
    await pause(STREAM_TURN_MS);
    const done = await load.streams.ask<StreamLoadAnswer>({ type: 'count' });
    const after = process.readings();
    tally.add(done.chunks - begun.chunks, after.atMs - before.atMs, before, after);
  });
}

/** How late the latest of a hundred chunks come, 300 streams at once: what we add to what the engine's own timers do. */
export async function measureGaps(name: string, target: Target, load: Load, rounds: Rounds): Promise<void> {
  await withStreams(name, target, MANY_STREAMS, load.streams, async () => {
    await load.streams.ask<StreamLoadAnswer>({ type: 'count' });
    await pause(GAPS_ROUND_MS);
    const { gapP99Ms } = await load.streams.ask<StreamLoadAnswer>({ type: 'count' });
    rounds.add(`streams_300_gap_p99_ms_${name}`, gapP99Ms);
  });
}

async function withStreams(
  name: string,
  target: Target,
  streams: number,
  load: BenchProcess,
  measure: () => Promise<void>,
): Promise<void> {
  const question = { type: 'open', target: { ...target, body: chatRequest(true) }, streams };
  const opened = await load.ask<StreamLoadAnswer>(question);
  if (opened.refusal !== null || opened.flowing < streams) {
    const why = opened.refusal ?? 'no reason given';
    throw new Error(`${name}: ${opened.flowing} of ${streams} streams flow: ${why}`);
  }
  await pause(STREAM_WARM_UP_MS);
  await measure();
  const { flowing } = await load.ask<StreamLoadAnswer>({ type: 'close' });
  if (flowing < streams) throw new Error(`${name}: ${streams - flowing} streams broke`);
}

/** Times of an answer at 200 requests/s. */
export async function measurePaced(name: string, target: Target, load: Load, rounds: Rounds): Promise<void> {
  const body = chatRequest(false);
  const { answers, failures, p50Ms, p99Ms } = await load.paced(
    { ...target, body },
    PACED_PER_SECOND,
    PACED_ROUND_MS,
  );
  if (failures > 0) throw new Error(`${name}: ${failures} of ${answers + failures} paced requests failed`);
  rounds.add(`p50_ms_${name}`, p50Ms);
  rounds.add(`p99_ms_${name}`, p99Ms);
}

/** What one body of 20 MB takes of memory, beyond what was there. */
export async function measureLargeBody({ name, process, target }: Contender, rounds: Rounds): Promise<void> {
  const body = chatRequest(false, LARGE_BODY_BYTES);
  const before = process.readings().rssBytes;
  const peak = await process.peakDuring(async () => {
    const answer = await fetch(`http://127.0.0.1:${target.port}${target.path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...target.headers },
      body,
      signal: AbortSignal.timeout(LARGE_BODY_DEADLINE_MS),
    });
    const text = await answer.text();
    if (answer.status !== 200) {
      throw new Error(`${name}: 20 MB were answered ${answer.status}: ${text.slice(0, 300)}`);
    }
  });
  rounds.add('large_body_mb', Math.max(0, peak - before) / 1e6);
}
