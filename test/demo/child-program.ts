import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The checkout's root, from the compiled file's place in test/dist/demo. */
export const checkoutRoot = fileURLToPath(new URL('../../../', import.meta.url));

export const programs = {
  controlPlane: fileURLToPath(new URL('../../../control-plane/bin/ai-fabric.js', import.meta.url)),
  agent: fileURLToPath(new URL('../../../agent/bin/ai-fabric-agent.js', import.meta.url)),
} as const;

export interface ChildOptions {
  readonly program: keyof typeof programs;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Written to its standard input, which is then closed. */
  readonly input?: string;
}

const STOP_GRACE_MS = 5_000;

/** One of our programs as a process of its own, its output in a log file. */
export class ChildProgram {
  readonly #child: ChildProcess;
  readonly #logFile: string;

  constructor(options: ChildOptions) {
    const log = openSync(options.logFile, 'a');
    this.#logFile = options.logFile;
    this.#child = spawn(process.execPath, [programs[options.program], ...options.args], {
      stdio: [options.input === undefined ? 'ignore' : 'pipe', log, log],
      env: { ...process.env, ...options.environment },
      // A group of its own: a terminal's Ctrl-C reaches the demo alone, which then ends its children in order.
      detached: true,
    });
    closeSync(log);
    this.#child.stdin?.end(options.input);
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** @returns the exit code; a signal's end is -1 */
  async exited(): Promise<number> {
    if (this.running) await once(this.#child, 'exit');
    return this.#child.exitCode ?? -1;
  }

  /** The end of what it printed, for when something went wrong. */
  lastLines(count = 8): string {
    return readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  }

  /** No goodbye: as a power cut. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited();
  }

  /** Asks it to end; after five seconds it is ended. */
  async stop(): Promise<void> {
    if (!this.running) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_GRACE_MS);
    await this.exited();
    clearTimeout(timer);
  }
}
