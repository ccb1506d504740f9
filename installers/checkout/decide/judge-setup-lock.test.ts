import { describe, expect, it } from 'vitest';
import { judgeSetupLock, LOCK_SILENCE_MS } from './judge-setup-lock.mjs';

const lock = { pid: 10, machine: 'motoko', installerPid: 11, renewals: 3 };
const sight = { lock, machine: 'motoko', holderAlive: true, installerAlive: true, unchangedMs: 500 };

describe('a lock on the set-up', () => {
  it('is waited for while its holder lives', () => {
    expect(judgeSetupLock(sight)).toBe('wait');
  });

  it('is taken over at once when its holder and all that it started are dead', () => {
    expect(judgeSetupLock({ ...sight, holderAlive: false, installerAlive: false })).toBe('take_over');
  });

  it('is not taken over while the package manager of a killed holder still writes', () => {
    expect(judgeSetupLock({ ...sight, holderAlive: false })).toBe('wait_for_installer');
  });

  it('is taken over from a process that got the number of a dead holder, once it was seen not to renew', () => {
    const silent = { ...sight, installerAlive: false, unchangedMs: LOCK_SILENCE_MS };
    expect(judgeSetupLock(silent)).toBe('take_over');
  });

  it('of another machine is judged by its renewals alone', () => {
    const foreign = { ...sight, machine: 'wintermute', holderAlive: false, installerAlive: false };
    expect(judgeSetupLock(foreign)).toBe('wait');
    expect(judgeSetupLock({ ...foreign, unchangedMs: LOCK_SILENCE_MS })).toBe('take_over');
  });

  it('that cannot be read is given time to become readable', () => {
    const empty = { ...sight, lock: null, holderAlive: false, installerAlive: false };
    expect(judgeSetupLock(empty)).toBe('wait');
    expect(judgeSetupLock({ ...empty, unchangedMs: LOCK_SILENCE_MS })).toBe('take_over');
  });
});
