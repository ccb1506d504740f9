import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Longer than all that may be waited for in front of one. */
export const HOLD_TIMEOUT_MS = 20 * 60_000;
const LOOK_EVERY_MS = 250;

/** Has a part of this machine for itself. */
export interface HeldPart {
  release(): void;
}

/**
 * Waits until nobody else on this machine has the part: of those that run the tests of one group at a time, in
 * whichever process. One that died with it in its hand is passed over.
 *
 * @param name of a file: no blanks
 * @throws Error naming who has it, after 20 minutes
 */
export async function holdPart(
  name: string,
  folder = tmpdir(),
  timeoutMs = HOLD_TIMEOUT_MS,
): Promise<HeldPart> {
  const file = join(folder, `ai-fabric-part-${process.getuid?.() ?? 0}-${name}.held`);
  const own = `${file}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  const untilMs = performance.now() + timeoutMs;
  try {
    while (!tryLink(own, file)) {
      const holder = holderOf(file);
      if (holder !== null && !isAlive(holder)) rmSync(file, { force: true });
      else if (performance.now() > untilMs) {
        throw new Error(`process ${holder} has ${name} for itself, and did not let it go (${file})`);
      } else await pause(LOOK_EVERY_MS);
    }
  } finally {
    rmSync(own, { force: true });
  }
  return { release: () => rmSync(file, { force: true }) };
}

/** A name that is made by a link is there with what it holds, or not at all. */
function tryLink(own: string, file: string): boolean {
  try {
    linkSync(own, file);
    return true;
  } catch {
    return false;
  }
}

function holderOf(file: string): number | null {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10) || null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
