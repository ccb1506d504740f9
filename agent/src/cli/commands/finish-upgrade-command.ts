import { systemClock } from '@ai-fabric/shared';
import { Command } from 'commander';
import { FINISH_VERB } from '../../upgrade/linux/finishing-unit.js';
import { exitCodes, UsageError } from '../exit-codes.js';

/** What the unit `ai-fabric-agent-upgrade.service` runs while an upgrade is under way; nobody else needs it. */
export function finishUpgradeCommand(): Command {
  return new Command(FINISH_VERB)
    .description('Bring an upgrade to its end, or take it back; started by its unit')
    .action(finish);
}

/** What is started anew says so within this time, or systemd gives it up. */
const RESTART_MS = 60_000;
const STAYS_MS = 60_000;

async function finish(): Promise<void> {
  if (process.getuid?.() !== 0) throw new UsageError('This is for root alone: its unit starts it.');
  const [{ finishUpgrade }, { linuxUpgrade }, { runToolWithin }, { default: pino }] = await Promise.all([
    import('../../upgrade/finish-upgrade.js'),
    import('../../upgrade/linux/linux-upgrade.js'),
    import('../../identity/run-tool.js'),
    import('pino'),
  ]);
  const system = linuxUpgrade({ runTool: runToolWithin(RESTART_MS) });
  // Whatever ends it before its end is a failure, after which systemd starts it again.
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
