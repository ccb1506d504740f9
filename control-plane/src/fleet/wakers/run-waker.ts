import { spawn } from 'node:child_process';
import type { Environment } from '../../config/environment.js';
import type { CommandWaker, HttpWaker, Waker } from './waker-schema.js';

export interface WakerCall {
  readonly host: string;
  readonly wakeId: string;
}

/** Of what a program says in its errors, the end. */
const MOST_SAID = 400;
/** What a program gets of our environment: secrets may stand in the rest. */
const PASSED_ON = ['PATH', 'SystemRoot', 'TEMP', 'TMPDIR', 'LANG'];

/**
 * Runs a waker once; bounded by its timeout, however it behaves.
 *
 * @returns `null`: it says that it did its work; else why not, in words
 */
export function runWaker(waker: Waker, call: WakerCall, environment: Environment): Promise<string | null> {
  return 'command' in waker ? runCommand(waker, call, environment) : postHook(waker);
}

function runCommand(
  { command, timeoutSeconds }: CommandWaker,
  { host, wakeId }: WakerCall,
  environment: Environment,
): Promise<string | null> {
  const [program = '', ...args] = command;
  const passed = PASSED_ON.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const env = { ...Object.fromEntries(passed), AI_FABRIC_WAKE_HOST: host, AI_FABRIC_WAKE_ID: wakeId };
  return new Promise((resolve) => {
    // In a group of its own: what it has started ends with it.
    const child = spawn(program, args, {
      ...{ env, shell: false, windowsHide: true },
      detached: process.platform !== 'win32',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    const end = (result: string | null) => {
      clearTimeout(timer);
      child.stderr.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => {
      killAll(child.pid, () => child.kill('SIGKILL'));
      end(`it did not end within ${timeoutSeconds} s, and was killed`);
    }, timeoutSeconds * 1000);
    child.stderr.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString('utf8')}`.slice(-MOST_SAID);
    });
    child.once('error', (error) => end(`it could not be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      // What it wrote last may still be on its way.
      setImmediate(() =>
        end(code === 0 ? null : `it ended with ${signal ?? code}: ${said.trim() || 'no word'}`),
      );
    });
  });
}

function killAll(pid: number | undefined, killOne: () => void): void {
  try {
    if (pid === undefined || process.platform === 'win32') killOne();
    else process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself in between.
  }
}

async function postHook({ http, timeoutSeconds }: HttpWaker): Promise<string | null> {
  try {
    const answer = await fetch(http.url, {
      ...{ method: http.method, headers: http.headers, redirect: 'manual' },
      ...(http.body === null ? {} : { body: http.body }),
      signal: AbortSignal.timeout(timeoutSeconds * 1000),
    });
    await answer.body?.cancel();
    return answer.ok ? null : `it answered ${answer.status}`;
  } catch (error) {
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return `it could not be asked: ${cause.slice(0, MOST_SAID)}`;
  }
}
