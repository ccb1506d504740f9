import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { z } from 'zod';
import { type BootRecord, deriveBootId } from './decide/derive-boot-id.js';

export interface BootIdentity {
  readonly bootId: string;
  readonly bootedAtMs: number;
}

export interface BootIdentityOptions {
  readonly platform: NodeJS.Platform;
  /** Where the last boot is remembered on systems that do not name it. */
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Seconds since boot. */
  readonly uptimeSeconds?: () => number;
  /** Linux's name for this boot. */
  readonly bootIdFile?: string;
  /** Tests: one of several machines that this one runs, each with a boot of its own. */
  readonly simulatedInterfacesPath?: string | null;
}

const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';
const RECORD_FILE = 'boot.json';

const recordSchema = z.object({
  bootId: z.string().min(1).max(80),
  bootedAtMs: z.number(),
  uptimeSeconds: z.number().min(0),
});

/**
 * Which boot of the host this is. Ask once and keep the answer: `bootedAtMs` is worked out from a wall clock that may
 * be set later. Linux names its boots; elsewhere the name is made from the time and remembered in a file.
 */
export async function readBootIdentity(options: BootIdentityOptions): Promise<BootIdentity> {
  const uptimeSeconds = (options.uptimeSeconds ?? uptime)();
  const nowMs = options.clock.nowMs();
  if (options.platform === 'linux') {
    const named = (await readText(options.bootIdFile ?? BOOT_ID_FILE))?.trim();
    const bootedAtMs = Math.round(nowMs - uptimeSeconds * 1000);
    if (named) return { bootId: nameOf(named.slice(0, 60), options.simulatedInterfacesPath), bootedAtMs };
  }
  const path = join(options.stateDirectory, RECORD_FILE);
  const record = deriveBootId(parseRecord(await readText(path)), nowMs, uptimeSeconds);
  await writeRecord(path, record).catch((error: unknown) => {
    options.logger.warn(
      { path, error: String(error) },
      'the boot could not be remembered: a restart of the agent after a change of the clock looks like a reboot',
    );
  });
  return { bootId: record.bootId, bootedAtMs: record.bootedAtMs };
}

function nameOf(boot: string, simulatedMachine: string | null | undefined): string {
  if (simulatedMachine == null) return boot;
  return `${boot}-${createHash('sha256').update(simulatedMachine).digest('hex').slice(0, 12)}`;
}

async function writeRecord(path: string, record: BootRecord): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

function parseRecord(text: string | null): BootRecord | null {
  try {
    return recordSchema.safeParse(JSON.parse(text ?? 'null')).data ?? null;
  } catch {
    return null; // Half a file: the boot is named anew.
  }
}

function readText(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}
