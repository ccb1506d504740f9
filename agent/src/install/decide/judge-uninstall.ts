import { ownProgram } from '../../own-command.js';
import { isOver, type UpgradeRecord } from '../../upgrade/upgrade-record.js';
import type { InstallRefusal } from '../install-steps.js';

/**
 * Why a purge does nothing: it would take models along, which took hours to fetch.
 *
 * @param storage of an engine, within what is removed; `null`: there is none
 * @param withModels whoever purges has said that they go too
 */
export function judgePurge(storage: string | null, withModels: boolean): InstallRefusal | null {
  if (storage === null || withModels) return null;
  return {
    code: 'models_within',
    detail: `The agent’s own Podman keeps its containers and models in ${storage}, which a purge removes: nothing was taken away.`,
    fix: 'Without --purge they stay. Remove them too: ai-fabric-agent uninstall --purge --with-models',
  };
}

/**
 * Why nothing may be taken away while a version is being replaced: what does that would put back what is gone.
 *
 * @param upgrade `null`: there never was one
 * @param isWorkedOn something brings it to its end at this moment; one that nobody works on is nobody's obstacle
 */
export function judgeUninstall(
  upgrade: Pick<UpgradeRecord, 'stage' | 'from' | 'to'> | null,
  isWorkedOn: boolean,
  platform: NodeJS.Platform,
): InstallRefusal | null {
  if (upgrade === null || isOver(upgrade) || !isWorkedOn) return null;
  return {
    code: 'upgrade_under_way',
    detail: `An upgrade from ${upgrade.from.version} to ${upgrade.to.version} is under way: nothing was taken away.`,
    fix: `Wait for its end, three minutes at most, and run this again. How far it is: ${ownProgram(platform)} status`,
  };
}
