import { join } from 'node:path';
import { fillRequestLog, RequestLogStage } from '@ai-fabric/control-plane/testing';
import { systemClock } from '@ai-fabric/shared';
import type { Bench, BenchContext, Measured } from '../bench.js';
import { benchProgram, nodeFlagsOf, programs } from '../fabric/programs.js';
import { BenchProcess } from '../machine/bench-process.js';
import { Rounds } from '../rounds.js';
import { BusyMonth } from './busy-month.js';
import type { ReadAnswer, RequestsQuestion, WriteAnswer } from './requests-program.js';

const ROWS = 1_000_000;
const SPAN_MS = 30 * 24 * 3_600_000;
const ROWS_PER_SECOND = 2_000;
const WRITE_MS = 5_000;

export const requestsBench: Bench = {
  name: 'requests',
  measures: 'reading a request log of a million rows, its size, and what writing to it costs the event loop',
  figures: [
    {
      name: 'hour_by_model_ms',
      meaning: 'usage by hour and target over all rows',
      limit: { atMost: 20 },
      from: 'median',
    },
    {
      name: 'page_ms',
      meaning: 'a page of 100 rows, the slowest of five filters',
      limit: { atMost: 20 },
      from: 'median',
    },
    {
      name: 'mb_per_million',
      meaning: 'by how much the file grew, roll-ups and explanations included',
      limit: { atMost: 250 },
      from: 'median',
    },
    {
      name: 'flush_stall_max_ms',
      meaning: `the longest gap between two turns of the event loop at ${ROWS_PER_SECOND} rows a second`,
      limit: { atMost: 15 },
      from: 'median',
    },
  ],
  run: runRequestsBench,
};

async function runRequestsBench(context: BenchContext): Promise<Measured> {
  const { directory, machine, progress } = context;
  const rounds = new Rounds();
  const dataDirectory = join(directory, 'data');
  await new RequestLogStage(dataDirectory, systemClock()).close();
  progress(`writing ${ROWS} rows`);
  const toMs = Date.now();
  const fromMs = toMs - SPAN_MS;
  const grownBytes = fillRequestLog(dataDirectory, new BusyMonth().batches(ROWS, fromMs, toMs));
  rounds.add('mb_per_million', grownBytes / 1e6 / (ROWS / 1e6));
  const program = new BenchProcess({
    ...{ name: 'the request log', machine, role: 'measured' },
    file: process.execPath,
    args: [...nodeFlagsOf(programs.controlPlane), benchProgram('requests/requests-program'), dataDirectory],
    logFile: join(directory, 'requests.log'),
    messages: true,
  });
  context.atEnd(() => program.stop());
  const ask = (question: RequestsQuestion): Promise<unknown> => program.ask(question, 60_000);
  await ask({ kind: 'write', rowsPerSecond: ROWS_PER_SECOND, forMs: 500 });
  for (let round = 1; round <= context.rounds; round += 1) {
    progress(`round ${round} of ${context.rounds}`);
    const read = await program.ask<ReadAnswer>({ kind: 'read', fromMs, toMs });
    rounds.add('hour_by_model_ms', read.hourByModelMs);
    rounds.add('page_ms', read.pageMs);
    const written = (await ask({
      kind: 'write',
      rowsPerSecond: ROWS_PER_SECOND,
      forMs: WRITE_MS,
    })) as WriteAnswer;
    rounds.add('flush_stall_max_ms', written.stallMaxMs);
    rounds.add('rows_dropped', written.dropped);
  }
  return { rounds: rounds.all, leftOut: [], notes: [] };
}
