import { spawn } from 'node:child_process';
import type { Account } from './decide/service-facts.js';

export interface RunOptions {
  /** As whom; otherwise as whom this program runs. */
  readonly as?: Account;
  readonly timeoutMs?: number;
}

export interface RunResult {
  /** 127: there is no such program; 124: it took too long. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const TIMEOUT_MS = 60_000;
const MOST_OUTPUT = 1024 * 1024;
const NOT_FOUND = 127;
const TOO_LATE = 124;
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
} as const;

/** Runs a program of the system to its end, with nothing of our environment. Never rejects. */
export function runProgram(
  file: string,
  args: readonly string[],
  { as, timeoutMs = TIMEOUT_MS }: RunOptions = {},
): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: '/',
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A Ctrl-C is ours to hear: in a session of its own it does not end a backup half-way.
      detached: true,
      ...(as === undefined ? {} : { uid: as.uid, gid: as.gid }),
    });
    let late = false;
    const deadline = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        if (output[name].length < MOST_OUTPUT) output[name] += text;
      });
    }
    child.once('error', (error) => {
      clearTimeout(deadline);
      resolve({ code: NOT_FOUND, stdout: output.stdout, stderr: error.message });
    });
    child.once('close', (code) => {
      clearTimeout(deadline);
      resolve({ code: late ? TOO_LATE : (code ?? 1), ...output });
    });
  });
}
