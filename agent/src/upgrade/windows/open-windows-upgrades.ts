import { setTimeout as pause } from 'node:timers/promises';
import type { UpgradeMode } from '@ai-fabric/shared';
import { runToolWithin } from '../../identity/run-tool.js';
import type { WindowsRoots } from '../../install/windows/decide/windows-paths.js';
import { openInstalledUpgrades, type UpgradeParts } from '../open-upgrades.js';
import { isOver } from '../upgrade-record.js';
import type { UpgradeDesk } from '../upgrades.js';
import { takeInOnWindows } from './take-in.js';
import { type WindowsUpgradeSystem, windowsUpgrade } from './windows-upgrade.js';

export interface WindowsOwner {
  readonly roots: WindowsRoots;
  /** As agent.yaml said when the agent started. */
  readonly mode: UpgradeMode;
  /** As it says now. @throws ConfigError */
  readonly readMode: () => Promise<UpgradeMode>;
}

/** The service manager has much to do at a boot. */
const TOOL_MS = 60_000;

/** The upgrades of an agent that runs as a service of Windows, which is SYSTEM: it takes in itself what it fetched. */
export async function openWindowsUpgrades(
  parts: UpgradeParts,
  { roots, mode, readMode }: WindowsOwner,
): Promise<UpgradeDesk> {
  const { clock, log } = parts;
  const system = windowsUpgrade({ roots, runTool: runToolWithin(TOOL_MS), clock, pause });
  const desk = await openInstalledUpgrades(parts, {
    ...{ mode, os: 'windows', readRecord: system.readRecord },
    askRoot: () => takeInOnWindows({ system, roots, readMode }),
  });
  // A power cut may have come before the registry was on the disk.
  void goOn(system).catch((error: unknown) => {
    log.warn({ error: String(error) }, 'upgrade: what finishes it could not be started');
  });
  return desk;
}

/** Has an upgrade that was begun be brought to its end, where nobody works on it. */
async function goOn(system: WindowsUpgradeSystem): Promise<void> {
  const record = await system.readRecord();
  if (record === null || isOver(record) || (await system.isFinishing())) return;
  await system.arm(record);
  await system.startFinishing();
}
