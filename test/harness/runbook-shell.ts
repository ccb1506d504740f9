import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CliResult, PROGRAMS } from './run-program.js';
import type { RunbookBlock } from './runbook.js';
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface RunbookAddresses {
  /** What stands for `http://127.0.0.1:8000` and `https://motoko:8443`. */
  readonly plainPort: number;
  readonly tlsPort: number;
  readonly dataDirectory: string;
}

interface Staying {
  readonly child: ChildProcess;
  readonly ended: Promise<CliResult>;
}

/**
 * A POSIX shell as an operator has it: our programs by their names, a control plane that the commands mean, and a
 * folder to write files into.
 */
export class RunbookShell {
  readonly #home: TemporaryDirectory = temporaryDirectory();
  readonly #addresses: RunbookAddresses;
  readonly #staying: Staying[] = [];

  constructor(addresses: RunbookAddresses) {
    this.#addresses = addresses;
    mkdirSync(this.#bin);
    symlinkSync(join(ROOT, 'docs'), join(this.#home.path, 'docs'), 'dir');
    const programs = { 'ai-fabric': PROGRAMS.controlPlane, 'ai-fabric-agent': PROGRAMS.agent };
    for (const [name, file] of Object.entries(programs)) {
      const script = `#!/bin/sh\nexec '${process.execPath}' '${file}' "$@"\n`;
      writeFileSync(join(this.#bin, name), script, { mode: 0o755 });
    }
  }

  /** @param input what the operator types or pastes */
  run(block: RunbookBlock, input = ''): Promise<CliResult> {
    const { child, ended } = this.#start(block);
    child.stdin?.end(input);
    return ended;
  }

  /** Starts what stays; `stopAll` ends it. */
  stay(block: RunbookBlock): void {
    this.#staying.push(this.#start(block));
  }

  /** As a service manager stops them, the last one first. */
  async stopAll(): Promise<CliResult[]> {
    const results: CliResult[] = [];
    for (const { child, ended } of this.#staying.splice(0).reverse()) {
      child.kill('SIGTERM');
      results.push(await ended);
    }
    return results;
  }

  async close(): Promise<void> {
    for (const { child, ended } of this.#staying.splice(0)) {
      child.kill('SIGKILL');
      await ended;
    }
    this.#home.remove();
  }

  get #bin(): string {
    return join(this.#home.path, 'bin');
  }

  #start({ commands, stays }: RunbookBlock): Staying {
    const { plainPort, tlsPort, dataDirectory } = this.#addresses;
    const here = commands
      .replaceAll('127.0.0.1:8000', `127.0.0.1:${plainPort}`)
      .replaceAll('motoko:8443', `127.0.0.1:${tlsPort}`);
    // What stays takes the shell's place, so that a signal reaches it.
    const script = stays ? `exec ${here}` : here;
    const child = spawn('/bin/sh', ['-euc', script], {
      cwd: this.#home.path,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: `${this.#bin}${delimiter}${process.env['PATH'] ?? ''}`,
        HOME: this.#home.path,
        AI_FABRIC_DATA: dataDirectory,
        AI_FABRIC_HOST: '127.0.0.1',
        AI_FABRIC_PORT: String(plainPort),
        AI_FABRIC_TLS_PORT: String(tlsPort),
        AI_FABRIC_AGENT_STATE: join(this.#home.path, 'agent'),
      },
    });
    return { child, ended: collect(child) };
  }
}

async function collect(child: ChildProcess): Promise<CliResult> {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  await once(child, 'close');
  return { exitCode: child.exitCode, ...output };
}
