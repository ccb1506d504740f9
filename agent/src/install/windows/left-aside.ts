import { readdir, rm } from 'node:fs/promises';
import { win32 } from 'node:path';
import type { WindowsRoots } from './decide/windows-paths.js';

const NAME = /^ai-fabric-agent-\d+\.exe$/;

/** Where a program that removes itself moves to, since one that runs cannot be removed. @param pid of it */
export function asidePath({ windows }: WindowsRoots, pid: number): string {
  return win32.join(windows, 'Temp', `ai-fabric-agent-${pid}.exe`);
}

/** Removes programs that moved aside, and that nobody removed when they had ended. One that still runs stays. */
export async function removeLeftAside(roots: WindowsRoots, locate: (path: string) => string): Promise<void> {
  const folder = win32.join(roots.windows, 'Temp');
  for (const name of await readdir(locate(folder)).catch(() => [])) {
    if (NAME.test(name)) await rm(locate(win32.join(folder, name)), { force: true }).catch(() => undefined);
  }
}
