import type { Bench, BenchContext, Measured } from '../bench.js';
import { Rounds } from '../rounds.js';
import { mean, ratioByRound } from '../statistics.js';
import type { Contender } from './contender.js';
import { LoadTally } from './load-tally.js';
import { measureGaps, measureJson, measureLargeBody, measurePaced, measureStreams } from './measure.js';
import { type Load, openLoad } from './open-load.js';
import { SOAK_FIGURES, soak } from './soak.js';
import { type Contenders, startContenders } from './start-contenders.js';

/**
 * Whole rounds that do not count: in a slow stretch of the machine V8 has compiled after many seconds what a request runs, and
 * drops some of it again when streams or a large body come by the same way.
 */
const WARM_UP_ROUNDS = 1;
const SOAK_ONLY = 'it is of --soak alone';
/** The machine's speed drifts within seconds: short turns one after the other see the same of it. */
const JSON_TURN_PAIRS = 5;
const STREAM_TURN_PAIRS = 2;
/** Below it a contender was held up by its load or its engine, not by its own core. */
const SATURATED_PERCENT = 90;

export const gatewayBench: Bench = {
  name: 'gateway',
  measures:
    'requests/s of a role through two deployments with a key, CPU time of a chunk, what is added to times, memory; beside other relays',
  options: [
    { name: 'soak', value: null, meaning: 'instead: ten minutes of load, and its memory after each' },
  ],
  figures: [
    {
      name: 'json_rps_vs_portkey',
      meaning: 'requests/s of ours ÷ of @portkey-ai/gateway 1.15.2',
      limit: { atLeast: 10 },
      from: 'lower95',
    },
    {
      name: 'json_rps_vs_bare_relay',
      meaning: 'requests/s of ours ÷ of node:http + undici pool.request + pipe',
      limit: { atLeast: 0.95 },
      from: 'lower95',
    },
    {
      name: 'haproxy_rps_vs_ours',
      meaning: 'requests/s of HAProxy on one thread ÷ of ours',
      limit: { atMost: 6 },
      from: 'upper95',
    },
    {
      name: 'sse_cpu_vs_bare_relay',
      meaning: 'CPU time of a streamed chunk in ours ÷ in the bare relay; 200 streams, a token each 20 ms',
      limit: { atMost: 1.1 },
      from: 'upper95',
    },
    {
      name: 'sse_cpu_vs_haproxy',
      meaning: 'the same ÷ in HAProxy',
      limit: { atMost: 2.6 },
      from: 'upper95',
    },
    {
      name: 'added_p50_ms',
      meaning: 'to the engine’s own median at 200 requests/s',
      limit: { atMost: 1 },
      from: 'median',
    },
    {
      name: 'added_p99_ms',
      meaning: 'to the engine’s own 99th percentile at 200 requests/s',
      limit: { atMost: 5 },
      from: 'median',
    },
    {
      name: 'streams_300_gap_p99_added_ms',
      meaning: '99th percentile of the time between two chunks, beyond that of the engine alone; 300 streams',
      limit: { atMost: 5 },
      from: 'median',
    },
    {
      name: 'loop_delay_p99_ms',
      meaning: 'how late timers of the event loop are while 64 connections saturate it',
      limit: { atMost: 12 },
      from: 'median',
    },
    { name: 'rss_mb', meaning: 'resident memory under load', limit: { atMost: 220 }, from: 'greatest' },
    {
      name: 'large_body_mb',
      meaning: 'what a request of 20 MB takes beyond',
      limit: { atMost: 60 },
      from: 'greatest',
    },
    ...SOAK_FIGURES,
  ],
  run: runGatewayBench,
};

async function runGatewayBench(context: BenchContext): Promise<Measured> {
  const { contenders, direct, leftOut } = await startContenders(context);
  const load = openLoad(context);
  const [ours] = contenders;
  if (context.options['soak'] !== undefined) {
    const isOfSoak = new Set(SOAK_FIGURES.map(({ name }) => name));
    const others = gatewayBench.figures.filter(({ name }) => !isOfSoak.has(name));
    const notTaken = others.map(({ name }) => ({ figure: name, reason: 'it is measured without --soak' }));
    return { ...(await soak(context, ours, load)), leftOut: notTaken };
  }
  const saturation = new Map<string, number[]>();
  const unmeasured = new Rounds();
  for (let round = 1; round <= WARM_UP_ROUNDS; round += 1) {
    context.progress(`warming up: ${round} of ${WARM_UP_ROUNDS}`);
    await runRound({ contenders, direct, load, round, rounds: unmeasured, saturation: new Map() });
  }
  const rounds = new Rounds();
  for (let round = 1; round <= context.rounds; round += 1) {
    context.progress(`round ${round} of ${context.rounds}`);
    await runRound({ contenders, direct, load, round, rounds, saturation });
  }
  const ofSoak = SOAK_FIGURES.map(({ name }) => ({ figure: name, reason: SOAK_ONLY }));
  return {
    rounds: { ...derived(rounds), ...rounds.all },
    leftOut: [...leftOut, ...ofSoak],
    notes: notesOn(load, saturation),
  };
}

interface Round {
  readonly contenders: Contenders['contenders'];
  readonly direct: Contender['target'];
  readonly load: Load;
  readonly round: number;
  readonly rounds: Rounds;
  /** By contender: what part of its core it used, in percent. */
  readonly saturation: Map<string, number[]>;
}

async function runRound({ contenders, direct, load, round, rounds, saturation }: Round): Promise<void> {
  const [ours] = contenders;
  // Each round begins with another contender, so that none always follows the same one.
  const order = rotate(contenders, round);
  for (const [{ name }, tally] of await inTurns(order, JSON_TURN_PAIRS, (contender, tally) =>
    measureJson(contender, load, rounds, tally),
  )) {
    rounds.add(`json_rps_${name}`, tally.perSecond);
    rounds.add(`json_cpu_us_${name}`, tally.cpuUs);
    saturation.set(name, [...(saturation.get(name) ?? []), tally.percent]);
  }
  const streaming = order.filter(({ streams }) => streams);
  for (const [{ name }, tally] of await inTurns(streaming, STREAM_TURN_PAIRS, (contender, tally) =>
    measureStreams(contender, load, tally),
  )) {
    rounds.add(`sse_cpu_us_per_chunk_${name}`, tally.cpuUs);
    rounds.add(`sse_chunks_per_second_${name}`, tally.perSecond);
  }
  for (const [name, target] of rotate([['ours', ours.target] as const, ['direct', direct] as const], round)) {
    await measurePaced(name, target, load, rounds);
    await measureGaps(name, target, load, rounds);
  }
  await measureLargeBody(ours, rounds);
}

/** Pairs of turns, the second of each in reverse: a machine that grows slower meanwhile is as slow to all of them. */
async function inTurns(
  contenders: readonly Contender[],
  pairs: number,
  measure: (contender: Contender, tally: LoadTally) => Promise<void>,
): Promise<Map<Contender, LoadTally>> {
  const tallies = new Map(contenders.map((contender) => [contender, new LoadTally()]));
  const there = [...tallies];
  for (let pair = 0; pair < pairs; pair += 1) {
    for (const [contender, tally] of [...there, ...there.toReversed()]) await measure(contender, tally);
  }
  return tallies;
}

/** The figures; one whose contender was not there has no rounds. */
function derived(rounds: Rounds): Record<string, readonly number[]> {
  const of = (dividend: string, divisor: string): number[] =>
    ratioByRound(rounds.of(dividend), rounds.of(divisor));
  const beyond = (ours: string, direct: string): number[] =>
    (rounds.of(ours) ?? []).map((value, round) => value - (rounds.of(direct)?.[round] ?? Number.NaN));
  const all = {
    json_rps_vs_portkey: of('json_rps_ours', 'json_rps_portkey'),
    json_rps_vs_bare_relay: of('json_rps_ours', 'json_rps_bare_relay'),
    haproxy_rps_vs_ours: of('json_rps_haproxy', 'json_rps_ours'),
    sse_cpu_vs_bare_relay: of('sse_cpu_us_per_chunk_ours', 'sse_cpu_us_per_chunk_bare_relay'),
    sse_cpu_vs_haproxy: of('sse_cpu_us_per_chunk_ours', 'sse_cpu_us_per_chunk_haproxy'),
    added_p50_ms: beyond('p50_ms_ours', 'p50_ms_direct'),
    added_p99_ms: beyond('p99_ms_ours', 'p99_ms_direct'),
    streams_300_gap_p99_added_ms: beyond('streams_300_gap_p99_ms_ours', 'streams_300_gap_p99_ms_direct'),
    rss_mb: rounds.of('rss_mb_ours') ?? [],
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

function rotate<Item>(items: readonly Item[], by: number): Item[] {
  const at = by % Math.max(1, items.length);
  return [...items.slice(at), ...items.slice(0, at)];
}
