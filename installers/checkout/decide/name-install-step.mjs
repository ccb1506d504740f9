/**
 * How far an install has come. Counts are packages.
 *
 * @typedef {object} InstallProgress
 * @property {string} step what is going on, for a person
 * @property {number} needed
 * @property {number} placed
 */

/** @type {InstallProgress} */
export const installNotStarted = { step: 'fetching the package manager', needed: 0, placed: 0 };

/**
 * Folds one line of the package manager's own report (`--reporter=ndjson`, pnpm's logger names) into the
 * progress. A line that is not one of its events changes nothing.
 *
 * @param {InstallProgress} progress
 * @param {string} line
 * @returns {InstallProgress}
 */
export function nameInstallStep(progress, line) {
  const event = readEvent(line);
  if (event === null) return progress;
  if (event['name'] === 'pnpm:progress') return countPackage(progress, event['status']);
  if (event['name'] === 'pnpm:stage' && event['stage'] === 'importing_started') {
    return { ...progress, step: 'fetching packages' };
  }
  if (event['name'] === 'pnpm:request-retry') {
    const counts = `(${progress.placed} of ${progress.needed})`;
    return { ...progress, step: `fetching packages: no answer from the registry, trying again ${counts}` };
  }
  if (event['name'] === 'pnpm:lifecycle') return { ...progress, step: nameBuild(progress.step, event) };
  return progress;
}

/** Nothing was heard for this long while something should be arriving all the time. */
const fetchSilenceMs = 45_000;

/**
 * Whether the package manager hangs. Seen with 12.21.0: without a network it exhausts its retries and then
 * waits for ever. A compiler may be silent for many minutes on a small machine, so only fetching is judged.
 *
 * @param {InstallProgress} progress
 * @param {number} silentMs since its last line
 */
export function isInstallStuck(progress, silentMs) {
  return progress.step.startsWith('fetching') && silentMs >= fetchSilenceMs;
}

/**
 * @param {string} line
 * @returns {Record<string, unknown> | null}
 */
function readEvent(line) {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line);
  } catch {
    return null; // A line that happens to start with a brace is a program's own output; the log has it.
  }
}

/**
 * Packages are resolved, fetched and placed all at once, so only the last of the three is shown.
 *
 * @param {InstallProgress} progress
 * @param {unknown} status
 * @returns {InstallProgress}
 */
function countPackage(progress, status) {
  const needed = progress.needed + (status === 'resolved' ? 1 : 0);
  const placed = progress.placed + (status === 'imported' ? 1 : 0);
  return { step: `fetching packages (${placed} of ${needed})`, needed, placed };
}

/**
 * @param {string} step
 * @param {Record<string, unknown>} event
 */
function nameBuild(step, event) {
  if (!String(event['depPath']).startsWith('better-sqlite3@')) return step;
  if ('exitCode' in event) return event['exitCode'] === 0 ? 'finishing' : step;
  // node-gyp speaks only where no prebuilt part could be had.
  if (String(event['line']).startsWith('gyp ')) {
    return 'compiling better-sqlite3 (about a minute where no prebuilt can be had)';
  }
  return step.startsWith('compiling') ? step : 'looking for a prebuilt better-sqlite3';
}
