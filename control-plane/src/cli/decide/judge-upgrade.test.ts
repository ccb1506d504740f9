import { describe, expect, test } from 'vitest';
import { judgeUpgrade, type UpgradingHost } from './judge-upgrade.js';

const lost = { code: 'gpu_lost', subject: 'GPU-1', severity: 'error' } as const;
const before: UpgradingHost = {
  ...{ presence: 'online', agentVersion: '0.1.0', upgrade: null, tunnelUp: true },
  issues: [lost],
};
const now = (more: Partial<UpgradingHost>): UpgradingHost => ({ ...before, agentVersion: '0.2.0', ...more });
const upgrade = (phase: NonNullable<UpgradingHost['upgrade']>['phase'], version = '0.2.0') => ({
  upgrade: { phase, version, detail: null },
});

describe('an agent that took an offer', () => {
  test.each([
    ['has not begun', before, 'waiting'],
    ['waits for its owner', { ...before, ...upgrade('offered') }, 'waiting'],
    ['fetches', { ...before, ...upgrade('fetching') }, 'waiting'],
    ['starts anew', now({ presence: 'away' }), 'waiting'],
    ['is late', now({ presence: 'late' }), 'waiting'],
    ['is being proven', now(upgrade('proving')), 'waiting'],
    ['has no tunnel yet', now({ tunnelUp: false }), 'waiting'],
    ['has an issue that it had not', now({ issues: [lost, { ...lost, subject: 'GPU-2' }] }), 'waiting'],
    [
      'has a warning that it had not',
      now({ issues: [{ ...lost, code: 'disk_full', severity: 'warning' }] }),
      'proven',
    ],
    ['runs it', now({}), 'proven'],
    ['runs it, and says so', now(upgrade('done')), 'proven'],
    ['says how an earlier upgrade ended', now(upgrade('rolled_back', '0.1.5')), 'proven'],
    ['went back', { ...before, ...upgrade('rolled_back') }, 'failed'],
    ['went back, and is away', { ...before, presence: 'away', ...upgrade('rolled_back') }, 'failed'],
    ['could not', { ...before, ...upgrade('failed') }, 'failed'],
  ] as const)('and %s', (_what, host, state) => {
    expect(judgeUpgrade(before, host, '0.2.0').state).toBe(state);
  });

  test('is told of in its own words', () => {
    const told = { phase: 'rolled_back', version: '0.2.0', detail: 'it did not link within 120 s' } as const;
    expect(judgeUpgrade(before, { ...before, upgrade: told }, '0.2.0').detail).toBe(
      'rolled back: it did not link within 120 s',
    );
  });

  test('needs no tunnel where there was none', () => {
    const none = { ...before, tunnelUp: false };
    expect(judgeUpgrade(none, now({ tunnelUp: false }), '0.2.0').state).toBe('proven');
  });
});
