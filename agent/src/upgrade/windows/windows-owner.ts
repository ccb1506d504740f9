import { runTool } from '../../identity/run-tool.js';
import { writeWhole } from '../../install/whole-files.js';
import { type WindowsRoots, windowsPaths } from '../../install/windows/decide/windows-paths.js';
import { readElevation } from '../../install/windows/look-at-windows.js';
import { writeConsent } from '../consent.js';
import { windowsUpgradePaths } from './upgrade-paths.js';

/** What an administrator may do about upgrades. */
export interface WindowsAdministrator {
  /** The service's. */
  readonly stateDirectory: string;
  /** That release may be put in place. @param manifestSha256 hex */
  giveConsent(manifestSha256: string): Promise<void>;
}

/** @returns `null` where whoever asks is no administrator, or has not agreed to be one now */
export async function openWindowsOwner(roots: WindowsRoots): Promise<WindowsAdministrator | null> {
  const paths = windowsPaths(roots);
  if ((await readElevation({ roots, paths, locate: (path) => path, runTool })) !== 'elevated') return null;
  const { consent } = windowsUpgradePaths(paths);
  return {
    stateDirectory: paths.dataFolder,
    giveConsent: (manifestSha256) => writeWhole(consent, writeConsent(manifestSha256), 0o644),
  };
}
