import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.js';

/** What our scripts call beside the shell's own. */
const USUAL = [
  'sh',
  'cat',
  'chmod',
  'curl',
  'gzip',
  'ls',
  'mktemp',
  'rm',
  'sha256sum',
  'sleep',
  'tr',
  'uname',
] as const;
const DEADLINE_MS = 60_000;

export interface ShellResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let found: ReadonlyMap<string, string> | null = null;

/** @throws Error where one is missing: none of these is a part that a test may do without */
function findTools(): ReadonlyMap<string, string> {
  const script = 'for tool in "$@"; do command -v "$tool" || echo; done';
  const { stdout } = spawnSync('sh', ['-c', script, 'sh', ...USUAL], { encoding: 'utf8' });
  const paths = stdout.split('\n');
  return new Map(
    USUAL.map((tool, at) => {
      const path = paths[at] ?? '';
      if (!path.startsWith('/')) throw new Error(`${tool} is not there`);
      return [tool, path];
    }),
  );
}

/** A machine's PATH with these tools and no others, and a folder for its temporary files. */
export class ShellTools {
  readonly #home: TemporaryDirectory = temporaryDirectory();
  readonly #running = new Set<ChildProcess>();

  constructor() {
    for (const folder of ['bin', 'tmp']) mkdirSync(this.path(folder));
    found ??= findTools();
    for (const [tool, path] of found) symlinkSync(path, this.path('bin', tool));
  }

  path(...parts: readonly string[]): string {
    return join(this.#home.path, ...parts);
  }

  /** One more of this machine's. */
  add(tool: string): void {
    const { stdout } = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', tool], { encoding: 'utf8' });
    symlinkSync(stdout.trim(), this.path('bin', tool));
  }

  without(tool: (typeof USUAL)[number]): void {
    rmSync(this.path('bin', tool));
  }

  /** @param text of a script for `sh` */
  put(tool: string, text: string): void {
    rmSync(this.path('bin', tool), { force: true });
    writeFileSync(this.path('bin', tool), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }

  /** Runs a program to its end. @param input on its standard input */
  async run(
    file: string,
    args: readonly string[],
    input: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<ShellResult> {
    const tmp = this.path('tmp');
    const env = { PATH: this.path('bin'), HOME: this.path(), TMPDIR: tmp, LC_ALL: 'C', ...environment };
    const child = spawn(file, args, { env, stdio: 'pipe', timeout: DEADLINE_MS });
    this.#running.add(child);
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // Whoever ends without reading it has had enough.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    await once(child, 'close');
    this.#running.delete(child);
    return { exitCode: child.exitCode, stdout, stderr };
  }

  remove(): void {
    for (const child of this.#running) child.kill('SIGKILL');
    this.#home.remove();
  }
}
