import { readdir } from 'node:fs/promises';
import { normaliseBusId } from './decide/normalise-bus-id.js';
import type { NvidiaSmi, ToolSearch } from './find-nvidia-smi.js';
import { type KillableChildOptions, runKillableChild } from './killable-child.js';

export type BusIdListOptions = Omit<
  KillableChildOptions,
  'child' | 'folder' | 'environment' | 'maxOutputBytes' | 'timeoutMs'
> & {
  readonly findTool: () => Promise<ToolSearch>;
  /** Where Linux's driver lists its cards. */
  readonly driverFolder?: string;
};

const DRIVER_FOLDER = '/proc/driver/nvidia/gpus';
const MAX_CARDS = 16;
const TIMEOUT_MS = 15_000;

/**
 * The PCI addresses of the host's cards, for when a lost one keeps nvidia-smi from listing them. Linux's driver knows
 * them all; elsewhere each index is asked for alone, which the lost card does not spoil for the others. Starts up to a
 * dozen processes: only for that case.
 */
export async function listBusIds(options: BusIdListOptions): Promise<readonly string[]> {
  const names = await readdir(options.driverFolder ?? DRIVER_FOLDER).catch(() => []);
  const listed = names.flatMap((name) => normaliseBusId(name) ?? []);
  if (listed.length > 0) return listed;
  const search = await options.findTool();
  return search.found ? askEachIndex(search.tool, options) : [];
}

async function askEachIndex(tool: NvidiaSmi, options: BusIdListOptions): Promise<readonly string[]> {
  const found: string[] = [];
  // Two that do not answer in a row: one may be the lost one, the other is past the last.
  for (let index = 0, missed = 0; index < MAX_CARDS && missed < 2; index += 1) {
    if (options.stuck.any() || options.signal.aborted) break;
    const busId = await askIndex(tool, index, options);
    missed = busId === null ? missed + 1 : 0;
    if (busId !== null) found.push(busId);
  }
  return found;
}

async function askIndex(tool: NvidiaSmi, index: number, options: BusIdListOptions): Promise<string | null> {
  const question = ['--query-gpu=pci.bus_id', '--format=csv,noheader', '-i', String(index)];
  const outcome = await runKillableChild({
    ...options,
    child: { command: tool.command, args: [...tool.leadingArgs, ...question] },
    folder: null,
    environment: null,
    maxOutputBytes: 1_024,
    timeoutMs: TIMEOUT_MS,
  });
  // An error text names an address, too: that of the lost card.
  const [line = ''] = outcome.kind === 'ended' ? outcome.output.trim().split('\n') : [];
  return /^[0-9a-f:.]+\s*$/i.test(line) ? normaliseBusId(line) : null;
}
