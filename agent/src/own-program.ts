import { getAsset, isSea } from 'node:sea';

/** Verbs that this program is started with by itself; `--help` does not list them. */
export const OWN_VERBS = { gpuInventory: 'gpu-inventory' } as const;

/** How a program is started. */
export interface OwnProgram {
  readonly file: string;
  /** What comes ahead of a verb. */
  readonly args: readonly string[];
}

/** Whether all of this program is one executable, which has no files beside it to start children from. */
export function isSingleExecutable(): boolean {
  return isSea();
}

/** How this program starts itself again: the executable, or Node with its flags and the file that it was started with. */
export function ownProgram(): OwnProgram {
  if (isSingleExecutable()) return { file: process.execPath, args: [] };
  return { file: process.execPath, args: [...process.execArgv, ...process.argv.slice(1, 2)] };
}

/** The licences of all packages that are in this executable; `null` where it is none, and they lie beside it. */
export function ownLicences(): string | null {
  return isSingleExecutable() ? getAsset('licences', 'utf8') : null;
}
