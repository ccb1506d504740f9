import { dropMade, noteMade } from './decide/edit-record.js';
import { installedVersion } from './decide/installed-version.js';
import { InstallStepError, InterruptedError } from './install-errors.js';
import { type InstallRecord, readInstallRecord, writeInstallRecord } from './install-record.js';
import type {
  InstalledFacts,
  InstalledService,
  InstallRequest,
  InstallStep,
  InstallSystem,
} from './install-steps.js';

export interface InstallRun<Step extends InstallStep> {
  readonly system: InstallSystem<Step>;
  readonly request: InstallRequest;
  readonly steps: readonly Step[];
  readonly facts: InstalledFacts;
  /** Called when a step is done. */
  readonly onDone: (step: Step, detail: string | null) => void;
  /** Asked before each step, and where one failed: programs that it called hear Ctrl-C as well. */
  readonly isInterrupted: () => boolean;
}

/**
 * Carries the steps out, each recorded before it is done. Where one fails, or somebody interrupts them, an agent that ran before
 * runs again.
 *
 * @throws InstallStepError, InstallRecordError
 */
export async function runInstall<Step extends InstallStep>(run: InstallRun<Step>): Promise<void> {
  const { system, request, steps, facts, onDone, isInterrupted } = run;
  const before = await readInstallRecord(system.recordPath);
  // A copied disk is told by it until it has a key of its own.
  const machineSha256 = before?.machineSha256 ?? facts.machineSha256;
  let record: InstallRecord = {
    ...{ format: 1, ...facts, machineSha256, finished: false },
    // What an install that fails does not replace is still the one that is here.
    version: installedVersion(before) ?? facts.version,
    made: before?.made ?? [],
  };
  let isStopped = false;
  for (const step of steps) {
    record = noteMade(record, step.makes);
    try {
      if (isInterrupted()) throw new InterruptedError();
      if (step.kind === 'stop_service') isStopped ||= await system.service.runs();
      // Where nothing is made yet there may be no place that is fit for it.
      if (record.made.length > 0) await writeInstallRecord(system.recordPath, record);
      // What keeps it from running is what this step itself tells then.
      if (step.kind === 'start_service') isStopped = false;
      const detail = await system.carryOut(step, request);
      for (const each of step.unmakes ?? []) record = dropMade(record, each);
      onDone(step, detail);
    } catch (error) {
      const cause = isInterrupted() ? new InterruptedError() : error;
      throw new InstallStepError(step, cause, isStopped ? await startAgain(system.service) : null);
    }
  }
  await writeInstallRecord(system.recordPath, {
    ...record,
    version: facts.version,
    machineSha256: facts.machineSha256,
    finished: true,
  });
}

/** @returns what came of it, in a sentence: the step's own failure is what is told first */
async function startAgain({ start, startCommand }: InstalledService): Promise<string> {
  try {
    await start();
    return 'The agent that was stopped for it runs again.';
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `The agent that was stopped for it could not be started again (${why}). Start it: ${startCommand}`;
  }
}
