import { join } from 'node:path';
import type { BenchContext } from '../bench.js';
import { benchProgram } from '../fabric/programs.js';
import { BenchProcess } from '../machine/bench-process.js';
import { findProgram } from '../machine/find-program.js';
import type { LoadTarget } from './load/http-load.js';
import type { JsonLoadAnswer } from './load/json-load.js';
import type { PacedLoadAnswer } from './load/paced-load.js';
import { runWrk } from './load/run-wrk.js';

const CONNECTIONS = 64;

/** What asks contenders. */
export interface Load {
  readonly wrk: string | null;
  /** As many as are answered. */
  json(target: LoadTarget, durationMs: number): Promise<JsonLoadAnswer>;
  /** So many a second. */
  paced(target: LoadTarget, perSecond: number, durationMs: number): Promise<PacedLoadAnswer>;
  readonly streams: BenchProcess;
}

export function openLoad(context: BenchContext): Load {
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
  const own = wrk === null ? start('json-load') : null;
  const json: Load['json'] = (target, durationMs) =>
    own === null
      ? runWrk({ wrk: wrk ?? '', machine, directory, target, connections: CONNECTIONS, durationMs })
      : own.ask({ target, connections: CONNECTIONS, durationMs });
  const pacedLoad = start('paced-load');
  const paced: Load['paced'] = (target, perSecond, durationMs) =>
    pacedLoad.ask({ target, perSecond, durationMs }, durationMs + 30_000);
  return { wrk, json, paced, streams: start('stream-load') };
}
