import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '@ai-fabric/shared';
import { Command } from 'commander';
import { readAgentConfig } from '../../config/read-agent-config.js';
import { FINISH_VERB } from '../../upgrade/decide/finish-verb.js';
import type { UpgradeSystem } from '../../upgrade/upgrade-system.js';
import { exitCodes, UsageError } from '../exit-codes.js';

/** What the service `ai-fabric-agent-upgrade` of either system runs while an upgrade is under way; nobody else needs it. */
export function finishUpgradeCommand(): Command {
  return new Command(FINISH_VERB)
    .description('Bring an upgrade to its end, or take it back; started by its service')
    .action(finish);
}

/** What is started anew says so within this time, or it is given up. */
const RESTART_MS = 60_000;
const STAYS_MS = 60_000;

async function finish(): Promise<void> {
  const [system, { finishUpgrade }, { default: pino }] = await Promise.all([
    openUpgradeSystem(),
    import('../../upgrade/finish-upgrade.js'),
    import('pino'),
  ]);
  // Whatever ends it before its end is a failure, after which it is started again.
  process.exitCode = exitCodes.failed;
  // The clock's timers keep no process alive.
  const stays = setInterval(() => undefined, STAYS_MS);
  try {
    await finishUpgrade({ system, clock: systemClock(), log: pino({ base: null }) });
    process.exitCode = exitCodes.ok;
  } finally {
    clearInterval(stays);
  }
}

async function openUpgradeSystem(): Promise<UpgradeSystem> {
  const { runToolWithin } = await import('../../identity/run-tool.js');
  const runTool = runToolWithin(RESTART_MS);
  if (process.platform === 'win32') {
    const { windowsUpgrade } = await import('../../upgrade/windows/windows-upgrade.js');
    return windowsUpgrade({ roots: readAgentConfig().folders, runTool, clock: systemClock(), pause });
  }
  if (process.getuid?.() !== 0) throw new UsageError('This is for root alone: its unit starts it.');
  const { linuxUpgrade } = await import('../../upgrade/linux/linux-upgrade.js');
  return linuxUpgrade({ runTool });
}
