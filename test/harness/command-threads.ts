import { Worker } from 'node:worker_threads';
import type { CliResult } from './run-program.js';

const THREAD = new URL('./command-thread.mjs', import.meta.url);
const PROGRAM = new URL('../../control-plane/dist/program/main.js', import.meta.url);

const idle: Worker[] = [];

/**
 * Runs `ai-fabric` to its end in a thread of this process, which stays for the next call: a process of its own takes 0.3 s
 * of a processor to load what was loaded before. Calls at the same time have a thread each.
 *
 * @param environment all of it
 * @throws Error where the program ended its thread
 */
export async function runInThread(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<CliResult> {
  const thread = idle.pop() ?? startThread(environment);
  const result = await call(thread, args);
  idle.push(thread);
  return result;
}

function startThread(environment: Readonly<Record<string, string | undefined>>): Worker {
  const thread = new Worker(THREAD, {
    workerData: { program: PROGRAM.href },
    env: { ...environment },
    ...{ execArgv: [], stdin: true, stdout: true, stderr: true },
  });
  thread.unref();
  return thread;
}

function call(thread: Worker, args: readonly string[]): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const over = (): void => {
      thread.off('message', answered).off('error', failed).off('exit', ended);
    };
    const answered = (result: CliResult): void => {
      over();
      resolve(result);
    };
    const failed = (error: Error): void => {
      over();
      reject(error);
    };
    const ended = (code: number): void => failed(new Error(`ai-fabric ended its thread (${code})`));
    thread.on('message', answered).on('error', failed).on('exit', ended);
    thread.postMessage([...args]);
  });
}
