import { noteMade } from './decide/edit-record.js';
import { InstallStepError } from './install-errors.js';
import { type InstallRecord, readInstallRecord, writeInstallRecord } from './install-record.js';
import type { InstalledFacts, InstallRequest, InstallStep, InstallSystem } from './install-steps.js';

export interface InstallRun<Step extends InstallStep> {
  readonly system: InstallSystem<Step>;
  readonly request: InstallRequest;
  readonly steps: readonly Step[];
  readonly facts: InstalledFacts;
  /** Called when a step is done. */
  readonly onDone: (step: Step, detail: string | null) => void;
}

/** Carries the steps out, each recorded before it is done. @throws InstallStepError, InstallRecordError */
export async function runInstall<Step extends InstallStep>(run: InstallRun<Step>): Promise<void> {
  const { system, request, steps, facts, onDone } = run;
  const before = await readInstallRecord(system.recordPath);
  // A copied disk is told by it until it has a key of its own.
  const machineSha256 = before?.machineSha256 ?? facts.machineSha256;
  let record: InstallRecord = {
    ...{ format: 1, ...facts, machineSha256, finished: false },
    made: before?.made ?? [],
  };
  for (const step of steps) {
    record = noteMade(record, step.makes);
    try {
      await writeInstallRecord(system.recordPath, record);
      onDone(step, await system.carryOut(step, request));
    } catch (error) {
      throw new InstallStepError(step, error);
    }
  }
  await writeInstallRecord(system.recordPath, {
    ...record,
    machineSha256: facts.machineSha256,
    finished: true,
  });
}
