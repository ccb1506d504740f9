import { statSync } from 'node:fs';
import { join } from 'node:path';
import { HistoryStage, writeHostHistory } from '@ai-fabric/control-plane/testing';
import type { Bench, BenchContext, Measured } from '../bench.js';
import { benchProgram, nodeFlagsOf, programs } from '../fabric/programs.js';
import { BenchProcess } from '../machine/bench-process.js';
import { pause } from '../machine/pause.js';
import { corePercent } from '../machine/process-readings.js';
import { Rounds } from '../rounds.js';
import { percentile } from '../statistics.js';
import { BusyHost, ONLY_HOST } from './busy-host.js';
import type { ChartAnswer, FedAnswer } from './history-program.js';

const HOSTS = 1_000;
const FEED_SECONDS = 60;
/** Compiled, with its queues in motion, before the first round; fed beyond the last. */
const SPARE_SECONDS = 10;
/** As agents report by themselves. */
const SAMPLE_EVERY_MS = 2_000;
const DEPLOYMENTS = ['qwen2-5-7b', 'embeddings'];
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const RANGES_MS = [HOUR_MS, 6 * HOUR_MS, DAY_MS, 3 * DAY_MS, 14 * DAY_MS, 90 * DAY_MS, 400 * DAY_MS];
/** What the charts of a page show: the host, its cards, its replicas. */
const CHARTS = [
  'host',
  'gpu.utilisationRatio,gpu.vramUsedBytes,gpu.powerWatts,gpu.temperatureCelsius',
  'running,waiting,generationTokensPerSecond,promptTokensPerSecond',
];
const CHARTS_PER_ROUND = 3;

export const historyBench: Bench = {
  name: 'history',
  measures: `what rolling up ${HOSTS} hosts costs, how large a host's year is, and how long a chart of it takes`,
  figures: [
    {
      name: 'ingest_core_percent',
      meaning: `CPU time of all threads for ${HOSTS} hosts with two cards at a report a second, as a share of one core`,
      limit: { atMost: 15 },
      from: 'mean',
    },
    {
      name: 'db_mb_per_host_year',
      meaning: 'the registry file with 400 days of a host with two cards and two replicas',
      limit: { atMost: 25 },
      from: 'greatest',
    },
    {
      name: 'chart_query_p95_ms',
      meaning: 'from the question to its JSON, ranges of an hour to 400 days at some 600 points',
      limit: { atMost: 30 },
      from: 'median',
    },
  ],
  run: async (context) => {
    const rounds = new Rounds();
    await measureIngest(context, rounds);
    await measureCharts(context, rounds);
    return { rounds: rounds.all, leftOut: [], notes: [] } satisfies Measured;
  },
};

function startProgram(
  { machine, directory, profileDirectory, atEnd }: BenchContext,
  name: string,
): BenchProcess {
  const profile = profileDirectory === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`];
  const program = new BenchProcess({
    ...{ name, machine, role: 'measured', messages: true },
    file: process.execPath,
    args: [...profile, ...nodeFlagsOf(programs.controlPlane), benchProgram('history/history-program')],
    logFile: join(directory, `${name}.log`),
  });
  atEnd(() => program.stop());
  return program;
}

/** One stretch of a minute, so that a turn of the minute is in it; the rounds are its parts. */
async function measureIngest(context: BenchContext, rounds: Rounds): Promise<void> {
  const program = startProgram(context, 'ingest');
  context.progress(`enrolling ${HOSTS} hosts and making their reports`);
  const seconds = FEED_SECONDS + 2 * SPARE_SECONDS;
  const directory = join(context.directory, 'ingest');
  await program.ask({ type: 'prepare', directory, hosts: HOSTS, seconds }, 300_000);
  await program.ask({ type: 'feed' });
  await pause(SPARE_SECONDS * 1_000);
  const roundMs = (FEED_SECONDS * 1_000) / context.rounds;
  for (let round = 1; round <= context.rounds; round += 1) {
    context.progress(`reports: part ${round} of ${context.rounds}, ${rounded(roundMs / 1_000)} s`);
    const fedBefore = await program.ask<FedAnswer>({ type: 'fed' });
    const before = program.readings();
    await pause(roundMs);
    const after = program.readings();
    const fed = await program.ask<FedAnswer>({ type: 'fed' });
    const reports = fed.reports - fedBefore.reports;
    if (fed.dropped > 0) throw new Error(`${fed.dropped} roll-ups were dropped`);
    rounds.add('ingest_core_percent', corePercent(before, after));
    rounds.add('reports_per_second', reports / ((after.atMs - before.atMs) / 1_000));
    rounds.add('ingest_rss_mb', after.rssBytes / 1e6);
  }
  await program.stop();
}

async function measureCharts(context: BenchContext, rounds: Rounds): Promise<void> {
  const directory = join(context.directory, 'charts');
  const registryFile = join(directory, 'registry.sqlite');
  const stage = new HistoryStage(directory, {});
  stage.link(ONLY_HOST);
  await stage.close();
  context.progress('writing 400 days of a host');
  const host = new BusyHost(0, DEPLOYMENTS, Math.random);
  writeHostHistory(registryFile, Date.now(), (atMs) => host.sample(atMs), SAMPLE_EVERY_MS);
  rounds.add('db_mb_per_host_year', statSync(registryFile).size / 1e6);
  const program = startProgram(context, 'charts');
  await program.ask({ type: 'open', directory, deployments: DEPLOYMENTS });
  const chart = (rangeMs: number, fields: string) =>
    program.ask<ChartAnswer>({ type: 'chart', rangeMs, fields });
  for (const rangeMs of RANGES_MS) await chart(rangeMs, '');
  for (let round = 1; round <= context.rounds; round += 1) {
    context.progress(`charts: round ${round} of ${context.rounds}`);
    const took: number[] = [];
    const whole: ChartAnswer[] = [];
    for (let repeat = 0; repeat < CHARTS_PER_ROUND; repeat += 1) {
      for (const rangeMs of RANGES_MS) {
        for (const fields of CHARTS) took.push((await chart(rangeMs, fields)).ms);
        whole.push(await chart(rangeMs, ''));
      }
    }
    rounds.add('chart_query_p95_ms', percentile(took, 0.95));
    rounds.add('chart_query_p50_ms', percentile(took, 0.5));
    rounds.add(
      'all_fields_p95_ms',
      percentile(
        whole.map(({ ms }) => ms),
        0.95,
      ),
    );
    rounds.add('all_fields_mb', Math.max(...whole.map(({ lengthBytes }) => lengthBytes)) / 1e6);
    rounds.add('points', Math.max(...whole.map(({ points }) => points)));
  }
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
