import { join } from 'node:path';
import type { UpgradeMode } from '@ai-fabric/shared';
import { PROGRAM_NAME, VERSIONS_FOLDER } from '../../install/linux/decide/linux-paths.js';
import { releaseIntake } from '../release-intake.js';
import type { UpgradeIntake } from '../upgrade-system.js';
import { INCOMING_FOLDER, STAGED_FOLDER, UPGRADE_CONSENT } from './upgrade-paths.js';

export interface LinuxIntakeOptions {
  /** As agent.yaml says, read where the agent cannot write. */
  readonly readMode: () => Promise<UpgradeMode>;
  /** What stands before all paths: empty, but in tests. */
  readonly root?: string;
}

/** As root: what the agent staged in its state folder is copied to a folder of root's own. */
export function linuxIntake({ readMode, root = '' }: LinuxIntakeOptions): UpgradeIntake {
  return releaseIntake({
    folders: {
      ...{ staged: STAGED_FOLDER, incoming: INCOMING_FOLDER, versions: VERSIONS_FOLDER },
      consent: UPGRADE_CONSENT,
      version: (name) => `${VERSIONS_FOLDER}/${name}`,
    },
    ...{ readMode, programName: PROGRAM_NAME },
    locate: (path) => join(root, path),
  });
}
