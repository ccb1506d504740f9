import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from '../../machine/machine.js';
import type { LoadTarget } from './http-load.js';
import type { JsonLoadAnswer } from './json-load.js';

export interface WrkRun {
  readonly wrk: string;
  readonly machine: Machine;
  readonly directory: string;
  readonly target: LoadTarget;
  readonly connections: number;
  readonly durationMs: number;
}

/**
 * One run of wrk (https://github.com/wg/wrk), whole seconds.
 *
 * @throws Error with what it printed when it gives no figure
 */
export async function runWrk(run: WrkRun): Promise<JsonLoadAnswer> {
  const { target, machine, connections, wrk } = run;
  const script = join(run.directory, `wrk-${target.port}.lua`);
  writeFileSync(script, luaScript(target));
  const seconds = Math.max(1, Math.round(run.durationMs / 1_000));
  const url = `http://127.0.0.1:${target.port}${target.path}`;
  const args = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '-s', script, url];
  const output = machine.pinning
    ? await outputOf(machine.pinning.taskset, ['-c', String(machine.pinning.load), wrk, ...args])
    : await outputOf(wrk, args);
  return parseWrk(output);
}

function parseWrk(output: string): JsonLoadAnswer {
  const whole = /(\d+) requests in ([\d.]+)(m?s|m)\b/.exec(output);
  if (!whole) throw new Error(`wrk gave no figure:\n${output}`);
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0);
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output);
  const broken = (socketErrors ?? []).slice(1).reduce((sum, count) => sum + Number(count), 0);
  const unit = { ms: 1, s: 1_000, m: 60_000 }[whole[3] ?? 's'] ?? 1_000;
  return {
    answers: Number(whole[1]) - refused,
    failures: refused + broken,
    durationMs: Number(whole[2]) * unit,
  };
}

function luaScript({ headers, body }: LoadTarget): string {
  const all = { 'content-type': 'application/json', ...headers };
  // A string of JSON is one of Lua too as long as it is ASCII without control characters.
  const lines = Object.entries(all).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  );
  return ['wrk.method = "POST"', `wrk.body = ${JSON.stringify(body)}`, ...lines, ''].join('\n');
}

function outputOf(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.once('error', reject);
    child.once('close', () => resolve(output));
  });
}
