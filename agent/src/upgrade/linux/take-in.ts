import { BUILD, type UpgradeMode } from '@ai-fabric/shared';
import { runTool } from '../../identity/run-tool.js';
import { AGENT_VERSION } from '../../version.js';
import { beginUpgrade } from '../begin-upgrade.js';
import type { UpgradeRecord } from '../upgrade-record.js';
import { linuxIntake } from './linux-intake.js';
import { linuxUpgrade } from './linux-upgrade.js';

/** As root: takes in what the agent staged, and has it put in place. @throws UpgradeError, ConfigError */
export function takeIn(readMode: () => Promise<UpgradeMode>): Promise<UpgradeRecord> {
  return beginUpgrade({
    system: linuxUpgrade({ runTool }),
    intake: linuxIntake({ readMode }),
    releaseKey: BUILD.releaseKey,
    platform: { os: 'linux', architecture: process.arch },
    ownVersion: AGENT_VERSION,
    nowMs: Date.now(),
  });
}
