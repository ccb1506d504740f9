import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { runInThread } from './command-threads.js';

export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const program = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The programs as they are installed. */
export const PROGRAMS = {
  controlPlane: program('control-plane/bin/ai-fabric.js'),
  agent: program('agent/bin/ai-fabric-agent.js'),
} as const;

export interface SpawnOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** As whom it runs; needs root where it is not oneself. */
  readonly uid?: number;
}

/** A child whose output is kept. */
export class ProgramProcess {
  readonly child: ChildProcess;
  #stdout = '';
  #stderr = '';

  constructor(file: string, args: readonly string[], options: SpawnOptions = {}) {
    const env = { ...inheritedEnvironment(), ...options.environment };
    const account = options.uid === undefined ? {} : { uid: options.uid };
    this.child = spawn(process.execPath, [file, ...args], {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...account,
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
  }

  get stdout(): string {
    return this.#stdout;
  }
  get stderr(): string {
    return this.#stderr;
  }
  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves when it has ended and all its output is here. */
  async ended(): Promise<CliResult> {
    if (this.running || !this.child.stdout?.readableEnded) await once(this.child, 'close');
    return { exitCode: this.child.exitCode, stdout: this.#stdout, stderr: this.#stderr };
  }

  /** Ends it, and waits for that. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (!this.running) return;
    const closed = once(this.child, 'close');
    this.child.kill(signal);
    await closed;
  }
}

/** Runs `ai-fabric-agent` to its end. */
export function runAgentCli(args: readonly string[]): Promise<CliResult> {
  const process = new ProgramProcess(PROGRAMS.agent, args);
  process.child.stdin?.end();
  return process.ended();
}

/**
 * Runs `ai-fabric` to its end. In a run that is to be quick it has no process of its own, unless it needs one: the same
 * program runs in a thread.
 */
export function runCli(args: readonly string[], options: SpawnOptions = {}): Promise<CliResult> {
  const needsProcess = Object.keys(options).length > 0 || ALONE.includes(args[0] ?? '');
  if (process.env['AI_FABRIC_QUICK_TESTS'] === '1' && !needsProcess)
    return runInThread(args, inheritedEnvironment());
  const program = new ProgramProcess(PROGRAMS.controlPlane, args, options);
  program.child.stdin?.end();
  return program.ended();
}

/** They take signals, or become another program. */
const ALONE: readonly string[] = ['up', 'demo'];

/** What the shell of this test run has set for our programs is not for them. */
function inheritedEnvironment(): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('AI_FABRIC_'));
  return Object.fromEntries(inherited);
}
