import { refuseLeave, withReturn } from './decide/refuse-leave.js';
import { type EndReplicasOptions, endReplicas, type LeaveAnswer } from './end-replicas.js';
import { InstallRefusedError } from './install-errors.js';
import type { InstallRefusal, InstallSystem } from './install-steps.js';

export interface PrepareUninstallOptions extends Omit<EndReplicasOptions, 'ask'> {
  readonly system: Pick<InstallSystem, 'leftovers' | 'refuseUninstall'>;
  /** @returns `null` where nobody listens @throws Error where an agent may run, and cannot be asked */
  readonly ask: (verb: 'leave' | 'stay' | 'status') => Promise<LeaveAnswer | null>;
  readonly platform: NodeJS.Platform;
  /** What is kept otherwise goes too. */
  readonly purge: boolean;
}

/**
 * What comes before something is taken away: replicas end, and their engine is asked for what stays while it may still
 * be asked.
 *
 * @returns what stays beside what is kept, in words
 * @throws InstallRefusedError where nothing may be taken away; replicas come back then
 */
export async function prepareUninstall(options: PrepareUninstallOptions): Promise<readonly string[]> {
  const { system, ask, platform, purge } = options;
  const failure = await endReplicas(options);
  if (failure !== null) throw refused(refuseLeave(failure, await comeBack(ask), platform));
  const leftovers = await system.leftovers(purge);
  // An upgrade may have begun meanwhile.
  const late = options.isInterrupted()
    ? refuseLeave({ code: 'interrupted' }, true, platform)
    : await system.refuseUninstall();
  if (late !== null) throw refused(withReturn(late, await comeBack(ask), platform));
  return leftovers;
}

/** @returns whether they do: an agent that is not there holds nothing down at its next start */
async function comeBack(ask: PrepareUninstallOptions['ask']): Promise<boolean> {
  return ask('stay').then(
    (status) => status === null || status.leaving === null,
    () => false,
  );
}

function refused(refusal: InstallRefusal): InstallRefusedError {
  return new InstallRefusedError([refusal]);
}
