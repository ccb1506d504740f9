import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { isLeftTool, readStartTicks, type ToolRecord, toolRecordSchema } from './decide/judge-left-tool.js';
import { killGroup } from './process-group.js';

/**
 * An nvidia-smi that prints ends by itself when this program was killed: nobody reads its pipe. One that hangs does
 * not. So the one that runs is written down, and the next start ends what the last one left.
 */
export interface LeftTools {
  /** Kills what an earlier run of the agent left behind, with all of its group. */
  endLeft(): void;
  started(pid: number, args: readonly string[]): void;
  ended(pid: number): void;
}

const FILE = 'nvidia-smi.json';

/** Only Linux tells by /proc which process is which; elsewhere nothing is noted and nothing killed. */
export function leftTools(stateDirectory: string, platform: NodeJS.Platform, logger: Logger): LeftTools {
  if (platform !== 'linux') return NOTHING;
  const path = join(stateDirectory, FILE);
  let noted: number | null = null;
  return {
    endLeft: () => {
      const record = readRecord(path);
      rmSync(path, { force: true });
      if (record === null || !isStillThere(record)) return;
      logger.warn({ pid: record.pid }, 'gpu: an nvidia-smi of an agent that was killed is ended');
      killGroup(record.pid);
    },
    started: (pid, args) => {
      const bootId = readText('/proc/sys/kernel/random/boot_id')?.trim();
      const startTicks = readStartTicks(readText(`/proc/${pid}/stat`) ?? '');
      if (bootId === undefined || startTicks === null) return;
      noted = pid;
      write(path, { pid, bootId, startTicks, args: [...args] }, logger);
    },
    ended: (pid) => {
      if (noted !== pid) return;
      noted = null;
      rmSync(path, { force: true });
    },
  };
}

const NOTHING: LeftTools = {
  endLeft: () => undefined,
  started: () => undefined,
  ended: () => undefined,
};

function isStillThere(record: ToolRecord): boolean {
  const bootId = readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  const startTicks = readStartTicks(readText(`/proc/${record.pid}/stat`) ?? '') ?? '';
  const commandLine = readText(`/proc/${record.pid}/cmdline`) ?? '';
  return isLeftTool(record, { bootId, startTicks, commandLine });
}

function readRecord(path: string): ToolRecord | null {
  try {
    return toolRecordSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data ?? null;
  } catch {
    return null;
  }
}

/** A disk that is full must not keep the card from being read. */
function write(path: string, record: ToolRecord, logger: Logger): void {
  try {
    writeFileSync(path, JSON.stringify(record), { mode: 0o600 });
  } catch (error) {
    logger.debug({ error: String(error) }, 'gpu: which nvidia-smi runs could not be written down');
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
