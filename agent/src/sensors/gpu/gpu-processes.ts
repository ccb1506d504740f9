import type { Clock } from '@ai-fabric/shared';
import { parseComputeApps, parsePmon } from './decide/parse-process-list.js';
import type { ToolSearch } from './find-nvidia-smi.js';
import { runKillableChild } from './killable-child.js';
import type { StuckProcesses } from './stuck-processes.js';

export interface GpuProcessesOptions {
  readonly findTool: () => Promise<ToolSearch>;
  readonly stuck: StuckProcesses;
  readonly platform: NodeJS.Platform;
  readonly windowsDirectory: string;
  readonly clock: Clock;
}

const TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 64 * 1024;
/** Of Windows' driver model this list alone tells anything, and of Linux it leaves out what only draws. */
const WINDOWS_ARGUMENTS = ['--query-compute-apps=process_name', '--format=csv,noheader'];
const LINUX_ARGUMENTS = ['pmon', '-c', '1', '-s', 'm'];

/**
 * Names of what others run on the cards, the largest first, where the driver tells. Asked once per claim: each time it
 * starts a process. Never rejects.
 */
export async function listGpuProcesses(
  options: GpuProcessesOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const search = await options.findTool();
  if (!search.found || options.stuck.any()) return [];
  const isWindows = options.platform === 'win32';
  const outcome = await runKillableChild({
    ...options,
    child: { command: search.tool.command, args: isWindows ? WINDOWS_ARGUMENTS : LINUX_ARGUMENTS },
    folder: null,
    environment: null,
    maxOutputBytes: MAX_OUTPUT_BYTES,
    timeoutMs: TIMEOUT_MS,
    signal,
  });
  if (outcome.kind !== 'ended') return [];
  return isWindows ? parseComputeApps(outcome.output) : parsePmon(outcome.output);
}
