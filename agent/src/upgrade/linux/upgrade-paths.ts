import { PROGRAM_FOLDER, STATE_FOLDER, UNIT_FOLDER } from '../../install/linux/decide/linux-paths.js';

/** Root's, which the agent can read: by it a version becomes the one that runs. */
export const UPGRADE_RECORD = `${PROGRAM_FOLDER}/upgrade.json`;
/** Root's: the release that the owner said yes to. */
export const UPGRADE_CONSENT = `${PROGRAM_FOLDER}/upgrade-consent.json`;
/** Root's alone: what is being taken in, not proven yet. */
export const INCOMING_FOLDER = `${PROGRAM_FOLDER}/incoming`;
/** The agent's: what it fetched. */
export const STAGED_FOLDER = `${STATE_FOLDER}/upgrade`;

/** It is there while a version is being replaced, and started at a boot in the middle of that. */
export const FINISHING_SERVICE = 'ai-fabric-agent-upgrade.service';
export const FINISHING_UNIT = `${UNIT_FOLDER}/${FINISHING_SERVICE}`;
export const FINISHING_WANTED = `${UNIT_FOLDER}/multi-user.target.wants/${FINISHING_SERVICE}`;
