import { readdirSync, readFileSync } from 'node:fs';

/** Kills every process of a group that was started with `detached`. POSIX only; quiet when it is gone already. */
export function killGroup(groupId: number): void {
  try {
    process.kill(-groupId, 'SIGKILL');
  } catch {
    // ESRCH: nobody is left, which is what was wanted. EPERM cannot happen to our own children.
  }
}

/**
 * Is anybody of the group still there? A process in an uninterruptible wait (a wedged driver) survives SIGKILL; a
 * zombie that nobody reaps does not count, it holds nothing.
 */
export function groupIsAlive(groupId: number): boolean {
  try {
    process.kill(-groupId, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return process.platform === 'linux' ? hasLivingMember(groupId) : true;
}

function hasLivingMember(groupId: number): boolean {
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && isLivingMember(name, groupId));
}

/** "pid (comm) state ppid pgrp …": the name may hold blanks and parentheses, so what follows the last one counts. */
function isLivingMember(pid: string, groupId: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(group) === groupId && state !== 'Z' && state !== 'X';
  } catch {
    return false; // It ended while we looked.
  }
}
