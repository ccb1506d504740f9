import type { WindowsPaths } from '../../install/windows/decide/windows-paths.js';
import { HEALTH_FILE } from '../health.js';
import type { IntakeFolders } from '../release-intake.js';

export interface WindowsUpgradePaths extends IntakeFolders {
  readonly record: string;
  readonly health: string;
  /** Of what finishes an upgrade, made anew by each. */
  readonly log: string;
}

/** Where an upgrade has its files; all are for SYSTEM and administrators alone. */
export function windowsUpgradePaths(paths: WindowsPaths): WindowsUpgradePaths {
  const { programFolder, versionsFolder, dataFolder, logFolder } = paths;
  return {
    record: `${programFolder}\\upgrade.json`,
    consent: `${programFolder}\\upgrade-consent.json`,
    incoming: `${programFolder}\\incoming`,
    versions: versionsFolder,
    version: (name) => `${versionsFolder}\\${name}`,
    staged: `${dataFolder}\\upgrade`,
    health: `${dataFolder}\\${HEALTH_FILE}`,
    log: `${logFolder}\\upgrade.log`,
  };
}
