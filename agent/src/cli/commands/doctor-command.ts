import { Command } from 'commander';
import { readAgentConfig } from '../../config/read-agent-config.js';
import { formatCheck, summariseChecks } from '../decide/format-checks.js';
import { exitCodes, exitCodesOf } from '../exit-codes.js';
import { readHost } from '../open-system.js';
import { printJson } from '../output.js';

interface DoctorOptions {
  readonly state?: string;
  readonly json?: boolean;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Check everything on this host that serving stands on, with the command that mends it')
    .option('--state <DIR>', 'the directory of the agent that is asked')
    .option(
      '--json',
      'print it as JSON: checks with id, state (green, red, waiting, not_applicable), says, fix',
    )
    .addHelpText(
      'after',
      `
Works without the control plane, and where no agent runs: then this host is looked at. Marks: ✓ right, ✗ to mend,
· not known yet, – this host has no such thing. On Linux it needs root where the agent is a service.

Examples:
  sudo ai-fabric-agent doctor
  sudo ai-fabric-agent doctor --json | jq '.checks[] | select(.state == "red")'
${exitCodesOf(['ok', 'nothing is wrong'], ['failed', 'something is to be mended'], 'usage')}`,
    )
    .action(examine);
}

async function examine({ state, json = false }: DoctorOptions): Promise<void> {
  const { judgeHost } = await import('../../doctor/decide/judge-host.js');
  const checks = judgeHost(await readHost(readAgentConfig({ state }), true));
  const isHealthy = checks.every((check) => check.state !== 'red');
  if (json) {
    printJson({ healthy: isHealthy, checks });
  } else {
    for (const check of checks) console.log(formatCheck(check));
    console.log(`${summariseChecks(checks)}.`);
  }
  if (!isHealthy) process.exitCode = exitCodes.failed;
}
