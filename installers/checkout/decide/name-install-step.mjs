/**
 * How far an install has come. Counts are packages.
 *
 * @typedef {object} InstallProgress
 * @property {string} step what is going on, for a person
 * @property {number} needed
 * @property {number} fetched
 * @property {number} placed
 */

/** @type {InstallProgress} */
export const installNotStarted = { step: 'fetching the package manager', needed: 0, fetched: 0, placed: 0 };

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
  if (event['name'] === 'pnpm:lifecycle') return { ...progress, step: nameBuild(progress.step, event) };
  return progress;
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
 * @param {InstallProgress} progress
 * @param {unknown} status
 * @returns {InstallProgress}
 */
function countPackage(progress, status) {
  const next = {
    ...progress,
    needed: progress.needed + (status === 'resolved' ? 1 : 0),
    fetched: progress.fetched + (status === 'fetched' || status === 'found_in_store' ? 1 : 0),
    placed: progress.placed + (status === 'imported' ? 1 : 0),
  };
  const verb = next.fetched < next.needed ? 'fetching packages' : 'placing packages';
  const done = next.fetched < next.needed ? next.fetched : next.placed;
  return { ...next, step: `${verb} (${done} of ${next.needed})` };
}

/**
 * @param {string} step
 * @param {Record<string, unknown>} event
 */
function nameBuild(step, event) {
  if (!String(event['depPath']).startsWith('better-sqlite3@')) return step;
  if ('exitCode' in event) return 'finishing';
  // node-gyp speaks only where no prebuilt part could be had.
  if (String(event['line']).startsWith('gyp ')) {
    return 'compiling better-sqlite3 (about a minute where no prebuilt can be had)';
  }
  return step.startsWith('compiling') ? step : 'looking for a prebuilt better-sqlite3';
}
