import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock, GpuInventory } from '@ai-fabric/shared';
import { isSingleExecutable, OWN_VERBS, ownProgram } from '../../own-program.js';
import { type ClosableSensor, reading, type SensorResult, unavailable } from '../sensor.js';
import {
  classifyToolFailure,
  driverHung,
  gpuLost,
  RUN_BY_HAND,
  toolFailed,
} from './decide/classify-tool-failure.js';
import { readInventoryAnswer } from './decide/read-inventory-answer.js';
import type { NvidiaSmi, ToolSearch } from './find-nvidia-smi.js';
import { type ChildCommand, type ChildOutcome, runKillableChild } from './killable-child.js';
import type { StuckProcesses } from './stuck-processes.js';

export interface GpuInventoryOptions {
  readonly findTool: () => Promise<ToolSearch>;
  /** How to start the child that runs `printGpuInventory`: another file, or this executable with a verb. */
  readonly child: ChildCommand;
  readonly platform: NodeJS.Platform;
  readonly windowsDirectory: string;
  readonly stuck: StuckProcesses;
  readonly clock: Clock;
  readonly timeoutMs?: number;
}

/** A cold driver with many cards needs a while; a wedged one never ends. */
const TIMEOUT_MS = 45_000;
const MAX_OUTPUT_BYTES = 256 * 1024;

/**
 * A single executable itself; else Node with the bundled child: beside this file where this one is in the bundle, or as
 * it was built last.
 */
export function defaultInventoryChild(): ChildCommand {
  if (isSingleExecutable()) {
    const { file, args } = ownProgram();
    return { command: file, args: [...args, OWN_VERBS.gpuInventory] };
  }
  const beside = fileURLToPath(new URL('./inventory-child.js', import.meta.url));
  const built = beside.replace(
    /([\\/])(?:src|dist)([\\/])sensors[\\/]gpu[\\/](?=inventory-child\.js$)/,
    '$1dist$2program$2',
  );
  return { command: process.execPath, args: [built] };
}

/**
 * What the host's cards are, through `node-nvidia-smi` in a child that can be killed. For start, and then now and
 * then: each read starts processes. Reads at the same time share one.
 */
export function gpuInventorySensor(options: GpuInventoryOptions): ClosableSensor<readonly GpuInventory[]> {
  let inFlight: Promise<SensorResult<readonly GpuInventory[]>> | null = null;
  const closing = new AbortController();
  return {
    read: (signal) => {
      inFlight ??= readInventory(options, AbortSignal.any([signal, closing.signal])).finally(() => {
        inFlight = null;
      });
      return inFlight;
    },
    close: async () => {
      closing.abort();
      await inFlight;
    },
  };
}

async function readInventory(
  options: GpuInventoryOptions,
  signal: AbortSignal,
): Promise<SensorResult<readonly GpuInventory[]>> {
  const search = await options.findTool();
  if (!search.found) return unavailable(search.issue);
  if (options.stuck.any())
    return unavailable(driverHung('An nvidia-smi process hangs and cannot be killed.'));
  const outcome = await runKillableChild({
    ...options,
    folder: dirname(search.tool.command),
    environment: environmentFor(search.tool, options),
    maxOutputBytes: MAX_OUTPUT_BYTES,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    signal,
  });
  return judge(outcome, search.tool);
}

/**
 * The package runs "nvidia-smi" through a shell, which looks it up: in the tool's own folder and nowhere else. Nothing
 * of the agent's environment goes along.
 */
function environmentFor(tool: NvidiaSmi, options: GpuInventoryOptions): Record<string, string> {
  const path = { PATH: dirname(tool.command) };
  if (options.platform !== 'win32') return path;
  const { windowsDirectory } = options;
  const comSpec = `${windowsDirectory}\\System32\\cmd.exe`;
  return {
    ...path,
    SystemRoot: windowsDirectory,
    windir: windowsDirectory,
    ComSpec: comSpec,
    PATHEXT: '.EXE;.CMD',
  };
}

function judge(outcome: ChildOutcome, tool: NvidiaSmi): SensorResult<readonly GpuInventory[]> {
  if (outcome.kind === 'timed_out') {
    return unavailable(
      driverHung(`The inventory by ${tool.command} did not end within ${outcome.afterMs / 1000} s.`),
    );
  }
  if (outcome.kind === 'aborted')
    return unavailable(toolFailed('The inventory of the cards was broken off.', null));
  if (outcome.kind === 'not_started') {
    return unavailable(toolFailed(`The inventory of the cards could not be started: ${outcome.code}.`, null));
  }
  const answer = readInventoryAnswer(outcome.output);
  if (answer === null) {
    return unavailable(
      toolFailed(
        `The inventory of the cards is unreadable: ${outcome.output || 'nothing was said'}`,
        RUN_BY_HAND,
      ),
    );
  }
  if (answer.ok) return reading(answer.gpus);
  const failure = classifyToolFailure({ ...answer, signal: null, startError: null });
  if (failure.kind === 'problem') return unavailable(failure.issue);
  if (failure.kind === 'card_lost') {
    return unavailable(gpuLost(failure.busId ?? 'host', 'The inventory fails because a GPU is lost.'));
  }
  return unavailable(toolFailed(`The inventory of the cards failed: ${answer.output}`, null));
}
