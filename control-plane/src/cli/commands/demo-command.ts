import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Command } from 'commander';
import { CliError, exitCodes } from '../exit-codes.js';

/** The demo brings simulated machines, which are part of a checkout and not of what is installed. From dist/program. */
const DEMO = fileURLToPath(new URL('../../../test/dist/demo/main.js', import.meta.url));

export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'the main job on this machine alone, with simulated workstations, or with containers of real Podman',
    )
    .option('--podman', 'a replica in a container of real Podman; what this machine lacks for it is listed')
    .option('--once', 'a scripted tour; exit code 0 only if every step held')
    .option(
      '--json',
      'each event as a line of JSON: "started", then "step" and "tour_ended", or "up", "podman_up"',
    )
    .addHelpText(
      'after',
      `
Examples:
  ai-fabric demo            # a live status until Ctrl-C
  ai-fabric demo --once
  ai-fabric demo --podman --once    # Linux, as root; installs nothing, leaves nothing
  ai-fabric demo --once --json | jq 'select(.kind == "step") | .held'`,
    )
    .action(async () => {
      if (!existsSync(DEMO)) {
        throw new CliError(
          exitCodes.failed,
          'the demo is part of a checkout only',
          'run "npm run demo" in one',
        );
      }
      // In this process: a terminal's Ctrl-C then comes once. The demo reads its flags from the command line itself.
      await import(pathToFileURL(DEMO).href);
    });
}
