import { describe, expect, it } from 'vitest';
import { type UpgradeStage, upgradeStageSchema } from '../../upgrade/upgrade-record.js';
import { judgePurge, judgeUninstall } from './judge-uninstall.js';

const upgrade = (stage: UpgradeStage) => ({
  stage,
  from: { version: '0.1.0', folder: '/v/old' },
  to: { version: '0.2.0', folder: '/v/new' },
});

describe('an uninstall', () => {
  const ends: readonly UpgradeStage[] = ['done', 'rolled_back', 'failed'];

  it.each(upgradeStageSchema.options)('waits for the end of an upgrade that is worked on: %s', (stage) => {
    expect(judgeUninstall(upgrade(stage), true, 'linux') === null).toBe(ends.includes(stage));
  });

  it.each(upgradeStageSchema.options)('does not wait for one that nobody works on: %s', (stage) => {
    expect(judgeUninstall(upgrade(stage), false, 'linux')).toBeNull();
  });

  it('says what it waits for, and for how long', () => {
    expect(judgeUninstall(null, true, 'linux')).toBeNull();
    expect(judgeUninstall(upgrade('proving'), true, 'win32')).toMatchObject({
      code: 'upgrade_under_way',
      detail: expect.stringContaining('from 0.1.0 to 0.2.0'),
      fix: expect.stringContaining('three minutes'),
    });
  });
});

describe('a purge', () => {
  const storage = '/var/lib/ai-fabric-agent/.local/share/containers';

  it('takes no models along that nobody gave up, and says where they are', () => {
    expect(judgePurge(storage, false)).toMatchObject({
      code: 'models_within',
      detail: expect.stringContaining(storage),
      fix: expect.stringContaining('--purge --with-models'),
    });
  });

  it('goes on where there are none, or they go too', () => {
    expect(judgePurge(null, false)).toBeNull();
    expect(judgePurge(storage, true)).toBeNull();
  });
});
