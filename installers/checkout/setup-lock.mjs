import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { judgeSetupLock } from './decide/judge-setup-lock.mjs';
import { SetupFailure } from './setup-failure.mjs';

const renewalMs = 2000;
const longestWaitMs = 30 * 60_000;

/**
 * @typedef {import('./decide/judge-setup-lock.mjs').SetupLock} SetupLock
 * @typedef {object} HeldLock
 * @property {(installerPid: number | null) => void} nameInstaller
 * @property {() => void} release
 */

/**
 * Waits for the right to set this checkout up: two first commands at once must not install over each other.
 * A lock whose holder died is taken over. Gives up, naming the file, after half an hour.
 *
 * @param {string} file where the lock lies
 * @param {(reason: string) => void} onWait told why it is waited, again and again
 * @param {number} [pollMs]
 * @returns {Promise<HeldLock>}
 */
export async function takeSetupLock(file, onWait, pollMs = 300) {
  mkdirSync(dirname(file), { recursive: true });
  const startedMs = performance.now();
  let seen = '';
  let seenSinceMs = startedMs;
  while (!place(file, describeSelf(0, null))) {
    const nowMs = performance.now();
    const text = readOrEmpty(file);
    if (text !== seen) {
      seen = text;
      seenSinceMs = nowMs;
    }
    const lock = parseLock(text);
    const verdict = judgeSetupLock({
      lock,
      machine: hostname(),
      holderAlive: lock !== null && isAlive(lock.pid),
      installerAlive: lock !== null && lock.installerPid !== null && isAlive(lock.installerPid),
      unchangedMs: nowMs - seenSinceMs,
    });
    if (verdict === 'take_over') {
      moveAside(file, text);
      continue;
    }
    if (nowMs - startedMs > longestWaitMs) throw new SetupFailure(stuckMessage(file, lock));
    onWait(waitReason(verdict, lock));
    await sleep(pollMs);
  }
  return keep(file);
}

/**
 * @param {string} file
 * @returns {HeldLock}
 */
function keep(file) {
  let renewals = 0;
  /** @type {number | null} */
  let installerPid = null;
  const isMine = () => parseLock(readOrEmpty(file))?.pid === process.pid;
  const renew = () => {
    if (!isMine()) return;
    renewals += 1;
    writeFileSync(file, describeSelf(renewals, installerPid));
  };
  const timer = setInterval(renew, renewalMs);
  return {
    nameInstaller(pid) {
      installerPid = pid;
      renew();
    },
    release() {
      clearInterval(timer);
      if (isMine()) rmSync(file, { force: true });
    },
  };
}

/**
 * Puts a whole lock in place at once (a hard link), so that nobody ever reads half of a new one.
 *
 * @param {string} file
 * @param {string} text
 * @returns {boolean} false: there is a lock already
 */
function place(file, text) {
  const draft = `${file}.${process.pid}.draft`;
  try {
    writeFileSync(draft, text);
    try {
      linkSync(draft, file);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      writeFileSync(file, text, { flag: 'wx' }); // A file system without hard links (exFAT, some shares).
    }
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw new SetupFailure(
      `Cannot write ${file} (${codeOf(error)}): this checkout's folder has to be writable.`,
    );
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Removes a dead holder's lock. Two commands may come here at once: whoever finds that it moved a lock other
 * than the one it judged has moved the quicker one's new lock, and puts it back.
 *
 * @param {string} file
 * @param {string} judgedText
 */
function moveAside(file, judgedText) {
  const aside = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, aside);
    if (readOrEmpty(aside) !== judgedText) linkSync(aside, file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/**
 * @param {number} renewals
 * @param {number | null} installerPid
 */
function describeSelf(renewals, installerPid) {
  return JSON.stringify({ pid: process.pid, machine: hostname(), installerPid, renewals });
}

/** @param {string} file */
function readOrEmpty(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // Released this instant, or unreadable: both are judged as a lock that says nothing.
  }
}

/**
 * @param {string} text
 * @returns {SetupLock | null}
 */
function parseLock(text) {
  try {
    const lock = JSON.parse(text);
    return typeof lock?.pid === 'number' && typeof lock.machine === 'string' ? lock : null;
  } catch {
    return null;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/**
 * @param {'wait' | 'wait_for_installer'} verdict
 * @param {SetupLock | null} lock
 */
function waitReason(verdict, lock) {
  return verdict === 'wait_for_installer'
    ? `waiting for the package manager of a command that was killed (process ${lock?.installerPid})`
    : `waiting: another command is setting this checkout up${lock === null ? '' : ` (process ${lock.pid})`}`;
}

/**
 * @param {string} file
 * @param {SetupLock | null} lock
 */
function stuckMessage(file, lock) {
  return (
    `Another command has been setting this checkout up for half an hour${lock === null ? '' : ` (process ${lock.pid} on ${lock.machine})`}.\n` +
    `If there is none, delete ${file} and run the command again.`
  );
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
