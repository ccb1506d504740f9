import { existsSync } from 'node:fs';
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type NvidiaSmiScenario, nvidiaSmiScenario } from './scenario.js';

export interface InstallNvidiaSmiOptions {
  /** Where the launcher and the scenario go; made if it is not there. */
  readonly directory: string;
  readonly scenario?: Partial<NvidiaSmiScenario>;
  readonly platform?: NodeJS.Platform;
}

export interface InstalledNvidiaSmi {
  /** The launcher: `nvidia-smi`, on Windows `nvidia-smi.cmd`. */
  readonly path: string;
  /** The same without a launcher: Windows starts a `.cmd` only through a shell. */
  readonly command: string;
  readonly leadingArgs: readonly string[];
  readonly scenarioPath: string;
  readonly scenario: NvidiaSmiScenario;
  /** Changes parts of the scenario. A process that runs takes it up at its next tick. */
  change(parts: Partial<NvidiaSmiScenario>): Promise<void>;
}

/**
 * Puts an executable into a directory that stands in for nvidia-smi.
 *
 * @throws Error when the simulator was not built, since Node cannot run its source
 */
export async function installNvidiaSmi(options: InstallNvidiaSmiOptions): Promise<InstalledNvidiaSmi> {
  const directory = resolve(options.directory);
  const windows = (options.platform ?? process.platform) === 'win32';
  const path = join(directory, windows ? 'nvidia-smi.cmd' : 'nvidia-smi');
  const scenarioPath = join(directory, 'nvidia-smi.scenario.json');
  const leadingArgs = [builtProgram(), scenarioPath];
  await mkdir(directory, { recursive: true });
  let scenario = nvidiaSmiScenario(options.scenario);
  await writeScenario(scenarioPath, scenario);
  await writeFile(path, windows ? cmdLauncher(leadingArgs) : shellLauncher(leadingArgs));
  await chmod(path, 0o755);
  return {
    path,
    command: process.execPath,
    leadingArgs,
    scenarioPath,
    get scenario() {
      return scenario;
    },
    change: (parts) => {
      scenario = { ...scenario, ...parts };
      return writeScenario(scenarioPath, scenario);
    },
  };
}

/** The compiled program beside this file, or under `dist` when this file runs from its source. */
function builtProgram(): string {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const beside = join(folder, 'program.js');
  if (existsSync(beside)) return beside;
  const parts = `${sep}test${sep}simulators${sep}`;
  const at = folder.lastIndexOf(parts);
  const built = join(
    folder.slice(0, at),
    'test',
    'dist',
    'simulators',
    folder.slice(at + parts.length),
    'program.js',
  );
  if (at >= 0 && existsSync(built)) return built;
  throw new Error(`the nvidia-smi simulator is not built (no ${built}): run "npx tsc -b" first`);
}

/** In one step: a process that looks meanwhile sees the old one or the new one. */
async function writeScenario(path: string, scenario: NvidiaSmiScenario): Promise<void> {
  const draft = `${path}.${process.pid}.draft`;
  await writeFile(draft, JSON.stringify(scenario));
  await rename(draft, path);
}

function shellLauncher(leadingArgs: readonly string[]): string {
  const quoted = [process.execPath, ...leadingArgs].map((part) => `'${part.replaceAll("'", "'\\''")}'`);
  // `exec`: signals reach the program itself, and its parent is whoever started the launcher.
  return `#!/bin/sh\nexec ${quoted.join(' ')} "$@"\n`;
}

function cmdLauncher(leadingArgs: readonly string[]): string {
  const quoted = [process.execPath, ...leadingArgs].map((part) => `"${part.replaceAll('%', '%%')}"`);
  return `@${quoted.join(' ')} %*\r\n`;
}
