import { BUILD, type UpgradeMode } from '@ai-fabric/shared';
import { PROGRAM_NAME, type WindowsRoots, windowsPaths } from '../../install/windows/decide/windows-paths.js';
import { AGENT_VERSION } from '../../version.js';
import { beginUpgrade } from '../begin-upgrade.js';
import { releaseIntake } from '../release-intake.js';
import type { UpgradeRecord } from '../upgrade-record.js';
import type { UpgradeSystem } from '../upgrade-system.js';
import { windowsUpgradePaths } from './upgrade-paths.js';

export interface TakeInOptions {
  readonly system: UpgradeSystem;
  readonly roots: WindowsRoots;
  /** As agent.yaml says now. @throws ConfigError */
  readonly readMode: () => Promise<UpgradeMode>;
}

/** As SYSTEM: takes in what this agent staged, and has it put in place. @throws UpgradeError, ConfigError */
export function takeInOnWindows({ system, roots, readMode }: TakeInOptions): Promise<UpgradeRecord> {
  return beginUpgrade({
    system,
    intake: releaseIntake({
      ...{ folders: windowsUpgradePaths(windowsPaths(roots)), readMode, programName: PROGRAM_NAME },
      locate: (path) => path,
    }),
    releaseKey: BUILD.releaseKey,
    platform: { os: 'windows', architecture: process.arch },
    ownVersion: AGENT_VERSION,
    nowMs: Date.now(),
  });
}
