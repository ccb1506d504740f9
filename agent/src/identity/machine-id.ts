import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseMachineGuid } from './decide/parse-machine-guid.js';
import type { PrivateFiles } from './private-files.js';
import { type RunTool, runTool } from './run-tool.js';

export interface MachineIdOptions {
  readonly platform: NodeJS.Platform;
  readonly windowsDirectory: string;
  readonly stateDirectory: string;
  readonly files: PrivateFiles;
  readonly run?: RunTool;
  /** Where Linux keeps it; systemd's place first, D-Bus's older one next. */
  readonly linuxPaths?: readonly string[];
}

const LINUX_PATHS = ['/etc/machine-id', '/var/lib/dbus/machine-id'];
const LINUX_ID = /^[0-9a-f]{32}$/;
const OWN_FILE = 'machine-id';

/**
 * The SHA-256 that tells this machine from another one that was given a copy of its key. machine-id(5) asks that the
 * id itself is not shown to others, so that it goes into the hash with a prefix of our own.
 */
export async function machineSha256(options: MachineIdOptions): Promise<string> {
  const id = (await systemId(options)) ?? (await ownId(options));
  return createHash('sha256').update(`ai-fabric machine 1\n${id}`).digest('hex');
}

async function systemId(options: MachineIdOptions): Promise<string | null> {
  if (options.platform === 'linux') return linuxId(options.linuxPaths ?? LINUX_PATHS);
  if (options.platform !== 'win32') return null;
  const { windowsDirectory, run = runTool } = options;
  const query = ['query', 'HKLM\\SOFTWARE\\Microsoft\\Cryptography', '/v', 'MachineGuid', '/reg:64'];
  const output = await run(`${windowsDirectory}\\System32\\reg.exe`, query).catch(() => '');
  return parseMachineGuid(output);
}

async function linuxId(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch(() => '');
    // "uninitialized" stands there in the first moments of a first boot.
    if (LINUX_ID.test(text.trim())) return text.trim();
  }
  return null;
}

/** Where the system has none: one of our own, kept beside the key. */
async function ownId({ stateDirectory, files }: MachineIdOptions): Promise<string> {
  const path = join(stateDirectory, OWN_FILE);
  const known = (await files.read(path))?.trim();
  if (known) return known;
  const made = randomUUID();
  await files.write(path, `${made}\n`);
  return made;
}
