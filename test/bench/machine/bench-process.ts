import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Machine } from './machine.js';
import { type ProcessReadings, peakBytes, readProcess, resetPeak } from './process-readings.js';

export interface BenchProcessOptions {
  /** For messages. */
  readonly name: string;
  readonly machine: Machine;
  /** Which core it gets where cores are pinned. */
  readonly role: 'measured' | 'load';
  readonly file: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Written to its standard input, which is then closed. */
  readonly input?: string;
  /** A Node program of ours that takes messages. */
  readonly messages?: boolean;
}

const STOP_GRACE_MS = 10_000;

/** A program as a process of its own: on its core, its output in a log file. */
export class BenchProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #logFile: string;

  constructor(options: BenchProcessOptions) {
    this.name = options.name;
    this.#logFile = options.logFile;
    const log = openSync(options.logFile, 'a');
    const [file, args] = pinned(options);
    this.#child = spawn(file, args, {
      stdio: [
        options.input === undefined ? 'ignore' : 'pipe',
        log,
        log,
        ...(options.messages ? (['ipc'] as const) : []),
      ],
      env: { ...inheritedEnvironment(), NODE_ENV: 'production', ...options.environment },
    });
    closeSync(log);
    // Its end shows in `running`; an unhandled error event would end the benchmark without a word.
    this.#child.on('error', () => undefined);
    this.#child.stdin?.end(options.input);
  }

  get running(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  readings(): ProcessReadings {
    this.#assertRunning();
    return readProcess(this.#child.pid ?? 0);
  }

  /** The most memory that it took while something was done, in bytes; what it held before is in it. */
  async peakDuring(work: () => Promise<unknown>): Promise<number> {
    this.#assertRunning();
    const pid = this.#child.pid ?? 0;
    resetPeak(pid);
    await work();
    return peakBytes(pid);
  }

  /** @returns the exit code; a signal's end is -1 */
  async exited(): Promise<number> {
    if (this.running) await once(this.#child, 'exit');
    return this.#child.exitCode ?? -1;
  }

  /** Asks a program of ours and waits for its answer; one question at a time. */
  async ask<Answer>(question: object, deadlineMs = 60_000): Promise<Answer> {
    this.#assertRunning();
    const signal = AbortSignal.timeout(deadlineMs);
    const ended = new AbortController();
    const answer = once(this.#child, 'message', { signal: AbortSignal.any([signal, ended.signal]) });
    const onExit = (): void => ended.abort();
    this.#child.once('exit', onExit);
    try {
      this.#child.send(question);
      const [message] = (await answer) as [Answer];
      return message;
    } catch (error) {
      if (!signal.aborted && !ended.signal.aborted) throw error;
      const what = signal.aborted ? `no answer within ${deadlineMs} ms` : 'it ended';
      throw new Error(`${this.name}: ${what}:\n${this.lastLines()}`);
    } finally {
      this.#child.off('exit', onExit);
    }
  }

  /** @throws Error with the end of its log when it is not running any more */
  #assertRunning(): void {
    if (!this.running) throw new Error(`${this.name} is not running:\n${this.lastLines()}`);
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

  /** Asks it to end; after ten seconds it is ended. */
  async stop(): Promise<void> {
    if (!this.running) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_GRACE_MS);
    await this.exited();
    clearTimeout(timer);
  }
}

/** What the shell of this run has set for our programs is not what a figure should depend on. */
function inheritedEnvironment(): Record<string, string | undefined> {
  const entries = Object.entries(process.env).filter(([name]) => !name.startsWith('AI_FABRIC_'));
  return Object.fromEntries(entries);
}

/** `taskset` becomes the program by exec: the process id, signals and messages are the program's own. */
function pinned({ machine, role, file, args }: BenchProcessOptions): [string, readonly string[]] {
  if (!machine.pinning) return [file, args];
  return [machine.pinning.taskset, ['-c', String(machine.pinning[role]), file, ...args]];
}
