import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BUILD, type Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { PrivateFiles } from '../identity/private-files.js';
import type { PinnedAddress } from '../link/dial-pinned-tls.js';
import { AGENT_VERSION } from '../version.js';
import type { AgentPlatform } from './decide/judge-release.js';
import { upgradeWords } from './decide/upgrade-words.js';
import { InstalledUpgrades, type InstalledUpgradesOptions } from './installed-upgrades.js';
import { releaseFetch } from './release-fetch.js';
import { stageRelease } from './stage-release.js';
import type { UpgradeRecord } from './upgrade-record.js';
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

/** How a system puts in place what an agent fetched. */
export interface UpgradeMachine extends Pick<InstalledUpgradesOptions, 'mode' | 'askRoot'> {
  readonly os: AgentPlatform['os'];
  /** @throws Error where it is damaged */
  readonly readRecord: () => Promise<UpgradeRecord | null>;
}

/** What is staged in the state directory. */
const STAGED = 'upgrade';

/** The upgrades of an agent that runs as a service that an install made. */
export function openInstalledUpgrades(
  parts: UpgradeParts,
  { os, readRecord, ...machine }: UpgradeMachine,
): Promise<UpgradeDesk> {
  const { address, stateDirectory, clock } = parts;
  const folder = join(stateDirectory, STAGED);
  return InstalledUpgrades.open({
    ...{ ...parts, ...machine, ownVersion: AGENT_VERSION, words: upgradeWords[os] },
    readRecord: () => readRecord().catch(() => null),
    stage: ({ manifestSha256 }, signal) =>
      stageRelease({
        ...{ manifestSha256, signal, ownVersion: AGENT_VERSION, releaseKey: BUILD.releaseKey },
        fetch: releaseFetch({ address, clock }),
        folder,
        platform: { os, architecture: process.arch },
      }),
    discard: () => rm(folder, { recursive: true, force: true }),
  });
}
