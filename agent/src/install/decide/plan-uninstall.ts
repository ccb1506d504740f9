import type { InstallRecord } from '../install-record.js';
import type { Made } from '../install-steps.js';

export interface UninstallPlan {
  /** What is taken away, in this order. */
  readonly remove: readonly Made[];
  /** What was made and stays: the owner's. */
  readonly stays: readonly Made[];
}

/** Whoever comes first stands on what came before: the last that was made goes first, the service before its files. */
export function planUninstall(record: InstallRecord, purge: boolean): UninstallPlan {
  const backwards = [...record.made].reverse();
  const isGoing = (made: Made): boolean => purge || !made.kept;
  const going = backwards.filter(isGoing);
  return {
    remove: [
      ...going.filter(({ kind }) => kind === 'service'),
      ...going.filter(({ kind }) => kind !== 'service'),
    ],
    stays: record.made.filter((made) => !isGoing(made)),
  };
}
