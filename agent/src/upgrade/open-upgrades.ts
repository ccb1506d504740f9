import { join } from 'node:path';
import { BUILD, type Clock, type UpgradeMode } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { PrivateFiles } from '../identity/private-files.js';
import { runTool, runToolWithin } from '../identity/run-tool.js';
import type { PinnedAddress } from '../link/dial-pinned-tls.js';
import { rootHelper } from '../root-helper/root-helper.js';
import { AGENT_VERSION } from '../version.js';
import { InstalledUpgrades } from './installed-upgrades.js';
import { linuxUpgrade } from './linux/linux-upgrade.js';
import { releaseFetch } from './release-fetch.js';
import { stageRelease } from './stage-release.js';
import type { UpgradeDesk } from './upgrades.js';

/** What a running agent has for its upgrades. */
export interface UpgradeParts {
  readonly address: PinnedAddress;
  readonly stateDirectory: string;
  readonly files: PrivateFiles;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChange: () => void;
}

/** What is staged in the state directory. */
const STAGED = 'upgrade';
/** Root copies and proves what is a hundred megabytes, on whatever disk. */
const ROOT_TAKES_IN_MS = 180_000;

/** The upgrades of an agent that runs as a service of systemd. */
export function openLinuxUpgrades(parts: UpgradeParts, mode: UpgradeMode): Promise<UpgradeDesk> {
  const { address, stateDirectory, clock } = parts;
  const { readRecord } = linuxUpgrade({ runTool });
  const helper = rootHelper({ runTool: runToolWithin(ROOT_TAKES_IN_MS) });
  return InstalledUpgrades.open({
    ...{ ...parts, mode, ownVersion: AGENT_VERSION },
    readRecord: () => readRecord().catch(() => null),
    stage: ({ manifestSha256 }, signal) =>
      stageRelease({
        ...{ manifestSha256, signal, ownVersion: AGENT_VERSION, releaseKey: BUILD.releaseKey },
        fetch: releaseFetch({ address, clock }),
        folder: join(stateDirectory, STAGED),
        platform: { os: 'linux', architecture: process.arch },
      }),
    askRoot: () => helper.ask('upgrade'),
  });
}
