import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LanHost } from './lan.js';

const ASK = fileURLToPath(new URL('./ask.mjs', import.meta.url));
const STOP_GRACE_MS = 8_000;

export const lanPrograms = {
  controlPlane: fileURLToPath(new URL('../../../control-plane/bin/ai-fabric.js', import.meta.url)),
  agent: fileURLToPath(new URL('../../../agent/bin/ai-fabric-agent.js', import.meta.url)),
} as const;

export interface LanProgramOptions {
  readonly host: LanHost;
  readonly program: keyof typeof lanPrograms;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Written to its standard input, which is then closed. */
  readonly input?: string;
}

/** One of our programs as a process on a host of the LAN. */
export class LanProgram {
  readonly #child: ChildProcess;
  readonly #logFile: string;

  constructor({ host, program, args, logFile, environment, input }: LanProgramOptions) {
    const log = openSync(logFile, 'a');
    this.#logFile = logFile;
    // `ip netns exec` becomes the program: the child's id is the program's own.
    const command = ['netns', 'exec', host.namespace, process.execPath, lanPrograms[program], ...args];
    this.#child = spawn('ip', command, {
      stdio: ['pipe', log, log],
      env: { ...process.env, ...environment },
    });
    closeSync(log);
    this.#child.stdin?.on('error', () => {});
    this.#child.stdin?.end(input ?? '');
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it printed, for when something went wrong. */
  get output(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  /** @throws Error with what it printed, unless it ends with 0 */
  async succeeded(): Promise<void> {
    if (this.running) await once(this.#child, 'exit');
    if (this.#child.exitCode !== 0) throw new Error(`it ended with ${this.#child.exitCode}:\n${this.output}`);
  }

  /** It holds its connections, and does nothing more. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  async kill(): Promise<void> {
    if (!this.running) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }

  /** Asks it to end; one that does not is ended. */
  async stop(): Promise<void> {
    if (!this.running) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_GRACE_MS);
    await exit;
    clearTimeout(timer);
  }
}

export interface Question {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Without a byte; 5,000 by default. */
  readonly timeoutMs?: number;
}

export interface Reply {
  /** The HTTP status; the system's error code where there is none: `ECONNREFUSED`. */
  readonly status: number | string;
  readonly body: string;
}

/** A request as a client on that host makes it. */
export async function askFrom(host: LanHost, question: Question): Promise<Reply> {
  const child = spawn('ip', ['netns', 'exec', host.namespace, process.execPath, ASK], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify({ method: 'GET', ...question }));
  let answer = '';
  for await (const part of child.stdout) answer += String(part);
  return JSON.parse(answer) as Reply;
}
