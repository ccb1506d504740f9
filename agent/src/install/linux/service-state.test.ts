import { describe, expect, it } from 'vitest';
import { readServiceState } from './service-state.js';

const shown = (change: Readonly<Record<string, string>>): string =>
  Object.entries({
    ...{ LoadState: 'loaded', UnitFileState: 'enabled', ActiveState: 'active', SubState: 'running' },
    ...{ NRestarts: '0', Result: 'success', ExecMainStatus: '0', ...change },
  })
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');

/** @param journal `null`: it may not be read */
const read = (change: Readonly<Record<string, string>>, journal: string | null = '') =>
  readServiceState((file) => {
    if (file === 'systemctl') return Promise.resolve(shown(change));
    return journal === null ? Promise.reject(new Error('no')) : Promise.resolve(journal);
  });

const WAITS = { ActiveState: 'activating', SubState: 'auto-restart', NRestarts: '3' };
const FAILED = { Result: 'exit-code', ExecMainStatus: '3' };

describe('what systemd says of the service', () => {
  it('is nothing where there is none', async () => {
    expect(await read({ LoadState: 'not-found' })).toBeNull();
    expect(await readServiceState(() => Promise.reject(new Error('no systemd')))).toBeNull();
  });

  it('is that it runs, or was stopped', async () => {
    expect(await read({})).toEqual({ isEnabled: true, isActive: true, ending: null });
    const stopped = { UnitFileState: 'disabled', ActiveState: 'inactive', SubState: 'dead', NRestarts: '4' };
    expect(await read(stopped)).toEqual({ isEnabled: false, isActive: false, ending: null });
  });

  it('is not that it keeps ending, where somebody ended it once', async () => {
    expect(await read({ NRestarts: '1' })).toMatchObject({ ending: null });
  });

  it('is that it keeps ending, how, and its last words', async () => {
    const journal = JSON.stringify({ _PID: '8', MESSAGE: 'error: It is damaged.' });
    expect(await read({ ...WAITS, ...FAILED }, journal)).toMatchObject({
      isActive: false,
      ending: { isRetried: true, restarts: 3, how: 'exit code 3', lastWords: 'error: It is damaged.' },
    });
  });

  it('is the same while it is being tried once more', async () => {
    expect(await read({ NRestarts: '3' }, null)).toMatchObject({
      ending: { isRetried: true, restarts: 3, how: null, lastWords: null },
    });
  });

  it.each([
    [{ Result: 'signal', ExecMainStatus: '9' }, 'signal 9'],
    [{ Result: 'oom-kill', ExecMainStatus: '9' }, 'oom-kill'],
    [{ Result: 'success', ExecMainStatus: '0' }, null],
  ] as const)('tells how it ended: %j', async (change, how) => {
    expect(await read({ ...WAITS, ...change })).toMatchObject({ ending: { how } });
  });

  it('is that nothing starts it again', async () => {
    const failed = { ...FAILED, ActiveState: 'failed', SubState: 'failed' };
    expect(await read(failed)).toMatchObject({ ending: { isRetried: false, how: 'exit code 3' } });
  });
});
