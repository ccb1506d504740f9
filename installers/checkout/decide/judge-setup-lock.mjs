/** A holder shows that it lives by renewing its lock every two seconds; this is fifteen missed renewals. */
export const LOCK_SILENCE_MS = 30_000;

/**
 * What the lock file says about who is setting the checkout up.
 *
 * @typedef {object} SetupLock
 * @property {number} pid the process that holds the lock
 * @property {string} machine its machine's name: another machine's process ids mean nothing here
 * @property {number | null} installerPid the package manager that it started, which may outlive it
 * @property {number} renewals grows while the holder lives
 */

/**
 * What a second command may conclude from the lock that it found.
 *
 * @typedef {object} LockSight
 * @property {SetupLock | null} lock null: a file that says nothing, such as one cut short by a full disk
 * @property {string} machine this machine's name
 * @property {boolean} holderAlive whether a process with the holder's id exists here
 * @property {boolean} installerAlive whether the package manager it started is still there
 * @property {number} unchangedMs for how long the lock was watched without a renewal
 */

/**
 * Whether to wait for the holder of a lock or to take its lock over. A killed holder's package manager goes
 * on writing into node_modules, so it is waited for as well. Age is never read from the file's time: only
 * what was watched here counts, so a laptop that slept takes nothing over from itself.
 *
 * @param {LockSight} sight
 * @returns {'wait' | 'wait_for_installer' | 'take_over'}
 */
export function judgeSetupLock(sight) {
  const silent = sight.unchangedMs >= LOCK_SILENCE_MS;
  if (sight.lock === null || sight.lock.machine !== sight.machine) return silent ? 'take_over' : 'wait';
  if (sight.holderAlive && !silent) return 'wait';
  return sight.installerAlive ? 'wait_for_installer' : 'take_over';
}
