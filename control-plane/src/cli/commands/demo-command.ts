import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { CliError, exitCodes } from '../exit-codes.js';

/** The demo brings simulated machines, which are part of a checkout and not of what is installed. */
const DEMO = fileURLToPath(new URL('../../../../test/dist/demo/main.js', import.meta.url));

export function demoCommand(): Command {
  return new Command('demo')
    .description('the main job on this machine alone, with simulated workstations')
    .option('--once', 'a scripted tour; exit code 0 only if every step held')
    .addHelpText(
      'after',
      `
Examples:
  ai-fabric demo            # a live status until Ctrl-C
  ai-fabric demo --once`,
    )
    .action(async (flags: { once?: boolean }) => {
      if (!existsSync(DEMO)) {
        throw new CliError(
          exitCodes.failed,
          'the demo is part of a checkout only',
          'run "npm run demo" in one',
        );
      }
      const child = spawn(process.execPath, [DEMO, ...(flags.once ? ['--once'] : [])], { stdio: 'inherit' });
      // A terminal sends Ctrl-C to both; the demo cleans up, and this process waits for it.
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
      const [code] = (await once(child, 'exit')) as [number | null];
      process.exitCode = code ?? exitCodes.failed;
    });
}
