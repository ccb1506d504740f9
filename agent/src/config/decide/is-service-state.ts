import { RECORD_FILE, STATE_FOLDER, UNIT_FILE } from '../../install/linux/decide/linux-paths.js';
import { isSamePath } from '../../install/windows/decide/parse-service.js';
import { type WindowsRoots, windowsPaths } from '../../install/windows/decide/windows-paths.js';

export interface ServiceStateFacts {
  readonly platform: NodeJS.Platform;
  readonly stateDirectory: string;
  readonly roots: WindowsRoots;
  readonly isThere: (path: string) => boolean;
}

/** Whether an agent's state directory is that of the service which an install made here. */
export function isServiceState({ platform, stateDirectory, roots, isThere }: ServiceStateFacts): boolean {
  if (platform === 'linux') {
    // The record stays after an uninstall that keeps the settings: the unit does not.
    return stateDirectory === STATE_FOLDER && isThere(RECORD_FILE) && isThere(UNIT_FILE);
  }
  if (platform !== 'win32') return false;
  const { dataFolder, wrapper } = windowsPaths(roots);
  return isSamePath(stateDirectory, dataFolder) && isThere(wrapper);
}
