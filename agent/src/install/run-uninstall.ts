import { rm } from 'node:fs/promises';
import { dropMade } from './decide/edit-record.js';
import type { UninstallPlan } from './decide/plan-uninstall.js';
import { type InstallRecord, writeInstallRecord } from './install-record.js';
import type { InstallSystem, Made } from './install-steps.js';

export interface UninstallRun {
  readonly system: Pick<InstallSystem, 'recordPath' | 'remove'>;
  readonly record: InstallRecord;
  readonly plan: UninstallPlan;
  /** Called when something is gone; with what went wrong where it is not. */
  readonly onDone: (made: Made, problem: string | null) => void;
  readonly isInterrupted: () => boolean;
}

export interface UninstallEnd {
  /** How much could not be taken away. */
  readonly problems: number;
  /** What nobody got to, since it was interrupted. */
  readonly untouched: readonly Made[];
  /** What somebody else put into what was taken away. */
  readonly foreign: readonly string[];
}

/**
 * Takes away what was made. What cannot be taken away is told and stays in the record, and the rest goes all the same.
 * What an interruption leaves stays in it, too.
 */
export async function runUninstall(run: UninstallRun): Promise<UninstallEnd> {
  const { system, record, plan, onDone, isInterrupted } = run;
  let left: InstallRecord = { ...record, finished: false };
  let problems = 0;
  const foreign: string[] = [];
  for (const [index, made] of plan.remove.entries()) {
    if (isInterrupted()) return { problems, untouched: plan.remove.slice(index), foreign };
    try {
      foreign.push(...(await system.remove(made)));
      left = dropMade(left, made);
      onDone(made, null);
    } catch (error) {
      problems += 1;
      onDone(made, error instanceof Error ? error.message : String(error));
    }
    // Of the folder that the record itself lies in nothing may be left behind.
    if (left.made.length === 0) await rm(system.recordPath, { force: true });
    else await writeInstallRecord(system.recordPath, left);
  }
  return { problems, untouched: [], foreign };
}
