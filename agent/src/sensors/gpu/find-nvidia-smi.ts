import { readdir, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Issue } from '@ai-fabric/shared';
import { noGpu, toolFailed } from './decide/classify-tool-failure.js';
import { listToolPlaces } from './decide/list-tool-places.js';

/** How to start nvidia-smi: an absolute path, and what stands before its own arguments. */
export interface NvidiaSmi {
  readonly command: string;
  readonly leadingArgs: readonly string[];
}

export type ToolSearch =
  | { readonly found: true; readonly tool: NvidiaSmi }
  | { readonly found: false; readonly issue: Issue };

export interface ToolSearchOptions {
  /** Set by the operator: then nothing else is looked for. */
  readonly configuredPath: string | null;
  readonly platform: NodeJS.Platform;
  readonly windowsDirectory: string;
  readonly programFiles: string;
}

/** Looks at the places where a driver puts nvidia-smi. Cheap: a few calls of `stat`. */
export async function findNvidiaSmi(options: ToolSearchOptions): Promise<ToolSearch> {
  if (options.configuredPath !== null) return checkConfigured(options.configuredPath);
  const { files, driverStore } = listToolPlaces(
    options.platform,
    options.windowsDirectory,
    options.programFiles,
  );
  const [first = '', ...others] = files;
  const path =
    (await firstFile([first])) ??
    (driverStore === null ? null : await newestInDriverStore(driverStore)) ??
    (await firstFile(others));
  if (path !== null) return { found: true, tool: { command: path, leadingArgs: [] } };
  return {
    found: false,
    issue: noGpu('No nvidia-smi is installed: this host has no NVIDIA card or no driver for it.'),
  };
}

async function checkConfigured(path: string): Promise<ToolSearch> {
  const usable = isAbsolute(path) && (await modifiedAtMs(path)) !== null;
  if (usable) return { found: true, tool: { command: path, leadingArgs: [] } };
  return {
    found: false,
    issue: toolFailed(
      `The configured nvidia-smi "${path}" is not an absolute path of a file.`,
      "Correct the agent's nvidia-smi setting, or remove it to have the usual places searched.",
    ),
  };
}

async function firstFile(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    if ((await modifiedAtMs(path)) !== null) return path;
  }
  return null;
}

/** Every installed driver leaves a folder of its own; the newest tool fits the running driver. */
async function newestInDriverStore(folder: string): Promise<string | null> {
  const names = await readdir(folder).catch(() => []);
  let newest: { path: string; atMs: number } | null = null;
  for (const name of names) {
    if (!name.toLowerCase().startsWith('nv')) continue;
    const path = join(folder, name, 'nvidia-smi.exe');
    const atMs = await modifiedAtMs(path);
    if (atMs !== null && (newest === null || atMs > newest.atMs)) newest = { path, atMs };
  }
  return newest?.path ?? null;
}

/** `null` when there is no such file, or it may not be looked at. */
async function modifiedAtMs(path: string): Promise<number | null> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() ? found.mtimeMs : null;
}
