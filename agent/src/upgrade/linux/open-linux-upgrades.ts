import type { UpgradeMode } from '@ai-fabric/shared';
import { runTool, runToolWithin } from '../../identity/run-tool.js';
import { rootHelper } from '../../root-helper/root-helper.js';
import { openInstalledUpgrades, type UpgradeParts } from '../open-upgrades.js';
import type { UpgradeDesk } from '../upgrades.js';
import { linuxUpgrade } from './linux-upgrade.js';

/** Root copies and proves what is a hundred megabytes, on whatever disk. */
const ROOT_TAKES_IN_MS = 180_000;

/** The upgrades of an agent that runs as a service of systemd. */
export function openLinuxUpgrades(parts: UpgradeParts, mode: UpgradeMode): Promise<UpgradeDesk> {
  const { readRecord } = linuxUpgrade({ runTool });
  const helper = rootHelper({ runTool: runToolWithin(ROOT_TAKES_IN_MS) });
  return openInstalledUpgrades(parts, {
    ...{ mode, os: 'linux', readRecord },
    askRoot: () => helper.ask('upgrade'),
  });
}
