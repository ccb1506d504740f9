import { join } from 'node:path';
import type { Bench, BenchContext, Measured } from '../bench.js';
import { benchProgram } from '../fabric/programs.js';
import { BenchProcess } from '../machine/bench-process.js';
import { findProgram } from '../machine/find-program.js';
import { pause } from '../machine/pause.js';
import { corePercent } from '../machine/process-readings.js';
import { Rounds } from '../rounds.js';
import { mean, ratioByRound } from '../statistics.js';
import type { Contender } from './contender.js';
import type { LoadTarget } from './load/http-load.js';
import type { JsonLoadAnswer } from './load/json-load.js';
import { runWrk } from './load/run-wrk.js';
import type { StreamLoadAnswer } from './load/stream-load.js';
import { chatRequest } from './sample-bodies.js';
import { startContenders } from './start-contenders.js';

const CONNECTIONS = 64;
const WARM_UP_MS = 2_000;
const JSON_ROUND_MS = 4_000;
const STREAMS = 200;
const STREAM_WARM_UP_MS = 1_000;
const STREAM_ROUND_MS = 4_000;
/** Below it a contender was held up by its load or its engine, not by its own core. */
const SATURATED_PERCENT = 90;

export const gatewayBench: Bench = {
  name: 'gateway',
  measures:
    'requests a second of a role through two deployments (64 connections, 600-byte chat body), and the CPU time of a chunk of 200 streams, beside other relays',
  figures: [
    {
      name: 'json_rps_vs_portkey',
      meaning: 'requests/s of ours ÷ of @portkey-ai/gateway 1.15.2',
      limit: { atLeast: 8 },
      from: 'median',
    },
    {
      name: 'json_rps_vs_bare_relay',
      meaning: 'requests/s of ours ÷ of node:http + undici pool.request + pipe',
      limit: { atLeast: 0.8 },
      from: 'median',
    },
    {
      name: 'haproxy_rps_vs_ours',
      meaning: 'requests/s of HAProxy on one thread ÷ of ours',
      limit: null,
      from: 'median',
    },
    {
      name: 'sse_cpu_vs_bare_relay',
      meaning: 'CPU time of a streamed chunk in ours ÷ in the bare relay; 200 streams, a token each 20 ms',
      limit: { atMost: 1.3 },
      from: 'median',
    },
  ],
  run: runGatewayBench,
};

async function runGatewayBench(context: BenchContext): Promise<Measured> {
  const { contenders, leftOut } = await startContenders(context);
  const load = openLoad(context);
  const rounds = new Rounds();
  const saturation = new Map<string, number[]>();
  context.progress('warming up');
  for (const { target } of contenders) await load.json({ ...target, body: chatRequest(false) }, WARM_UP_MS);
  for (let round = 1; round <= context.rounds; round += 1) {
    context.progress(`round ${round} of ${context.rounds}`);
    // Each round begins with another contender, so that none always follows the same one.
    for (const contender of rotate(contenders, round)) {
      const percent = await measureJson(contender, load, rounds);
      saturation.set(contender.name, [...(saturation.get(contender.name) ?? []), percent]);
    }
    for (const contender of rotate(contenders.filter(streams), round)) {
      await measureStreams(contender, load, rounds);
    }
  }
  return { rounds: { ...ratios(rounds), ...rounds.all }, leftOut, notes: notesOn(load, saturation) };
}

/** Portkey 1.15.2 answers 500 to streams on Node 20 ("TypeError: immutable"); HAProxy has no limit to hold. */
function streams({ name }: Contender): boolean {
  return name === 'ours' || name === 'bare_relay';
}

async function measureJson(contender: Contender, load: Load, rounds: Rounds): Promise<number> {
  const { name, process, target } = contender;
  const before = process.readings();
  const { answers, failures, durationMs } = await load.json(
    { ...target, body: chatRequest(false) },
    JSON_ROUND_MS,
  );
  const after = process.readings();
  if (answers === 0 || failures > answers * toleratedFailures(contender)) {
    throw new Error(`${name}: ${failures} of ${answers + failures} requests failed:\n${process.lastLines()}`);
  }
  rounds.add(`json_rps_${name}`, answers / (durationMs / 1_000));
  rounds.add(`json_cpu_us_${name}`, ((after.cpuSeconds - before.cpuSeconds) / answers) * 1e6);
  rounds.add(`rss_mb_${name}`, after.rssBytes / 1e6);
  return corePercent(before, after);
}

/** Under 64 connections Portkey answers some later than wrk waits; its answers alone are counted. */
function toleratedFailures(contender: Contender): number {
  return streams(contender) ? 0.01 : 0.05;
}

async function measureStreams(
  { name, process, target }: Contender,
  load: Load,
  rounds: Rounds,
): Promise<void> {
  const opened = await load.streams.ask<StreamLoadAnswer>({
    type: 'open',
    target: { ...target, body: chatRequest(true) },
    streams: STREAMS,
  });
  if (opened.refusal !== null || opened.flowing < STREAMS) {
    throw new Error(
      `${name}: ${opened.flowing} of ${STREAMS} streams flow: ${opened.refusal ?? 'no reason given'}`,
    );
  }
  await pause(STREAM_WARM_UP_MS);
  const begun = await load.streams.ask<StreamLoadAnswer>({ type: 'count' });
  const before = process.readings();
  await pause(STREAM_ROUND_MS);
  const done = await load.streams.ask<StreamLoadAnswer>({ type: 'close' });
  const after = process.readings();
  if (done.flowing < STREAMS) throw new Error(`${name}: ${STREAMS - done.flowing} streams broke`);
  const chunks = done.chunks - begun.chunks;
  rounds.add(`sse_cpu_us_per_chunk_${name}`, ((after.cpuSeconds - before.cpuSeconds) / chunks) * 1e6);
  rounds.add(`sse_chunks_per_second_${name}`, chunks / ((after.atMs - before.atMs) / 1_000));
}

/** The figures; one whose contender was not there has no rounds. */
function ratios(rounds: Rounds): Record<string, readonly number[]> {
  const of = (dividend: string, divisor: string): number[] =>
    ratioByRound(rounds.of(dividend), rounds.of(divisor));
  const all = {
    json_rps_vs_portkey: of('json_rps_ours', 'json_rps_portkey'),
    json_rps_vs_bare_relay: of('json_rps_ours', 'json_rps_bare_relay'),
    haproxy_rps_vs_ours: of('json_rps_haproxy', 'json_rps_ours'),
    sse_cpu_vs_bare_relay: of('sse_cpu_us_per_chunk_ours', 'sse_cpu_us_per_chunk_bare_relay'),
  };
  return Object.fromEntries(Object.entries(all).filter(([, values]) => values.length > 0));
}

function notesOn(load: Load, saturation: ReadonlyMap<string, readonly number[]>): string[] {
  const notes =
    load.wrk === null ? ['wrk is not here (Debian: apt-get install wrk): our own load was used'] : [];
  for (const [name, percents] of saturation) {
    const percent = Math.round(mean(percents) ?? 0);
    if (percent < SATURATED_PERCENT) {
      notes.push(
        `${name} used ${percent} % of its core: held up by its load, its engine or others on this machine`,
      );
    }
  }
  return notes;
}

interface Load {
  readonly wrk: string | null;
  json(target: LoadTarget, durationMs: number): Promise<JsonLoadAnswer>;
  readonly streams: BenchProcess;
}

function openLoad(context: BenchContext): Load {
  const { machine, directory } = context;
  const start = (name: string): BenchProcess => {
    const program = new BenchProcess({
      name: `the ${name}`,
      machine,
      role: 'load',
      file: process.execPath,
      args: [benchProgram(`gateway/load/${name}`)],
      logFile: join(directory, `${name}.log`),
      messages: true,
    });
    context.atEnd(() => program.stop());
    return program;
  };
  const wrk = findProgram('wrk');
  const streamLoad = start('stream-load');
  if (wrk !== null) {
    const json: Load['json'] = (target, durationMs) =>
      runWrk({ wrk, machine, directory, target, connections: CONNECTIONS, durationMs });
    return { wrk, json, streams: streamLoad };
  }
  const own = start('json-load');
  return {
    wrk,
    json: (target, durationMs) => own.ask({ target, connections: CONNECTIONS, durationMs }),
    streams: streamLoad,
  };
}

function rotate<Item>(items: readonly Item[], by: number): Item[] {
  const at = by % Math.max(1, items.length);
  return [...items.slice(at), ...items.slice(0, at)];
}
