import { type Command, Option } from 'commander';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { WAIT_GOALS, type WaitGoal } from '../decide/judge-wait.js';
import { parseSeconds } from '../parse-seconds.js';
import { waitUntil } from './wait-until.js';

export function addWaitCommand(deployments: Command): void {
  const wait = deployments
    .command('wait <deployment>')
    .description('until its replica is ready, stopped or parked, telling what goes on meanwhile')
    .addOption(new Option('--for <goal>', 'what to wait for').choices([...WAIT_GOALS]).default('ready'))
    .addOption(
      new Option('--timeout <time>', 'how long at most, as 90s, 15m, 2h')
        .argParser(parseSeconds(1))
        .default(1800, '30m'),
    )
    .addHelpText(
      'after',
      `
Exit codes of wait: 0 it is, 1 it is not within the time (what stands in the way is told), 3 there is no such deployment,
4 it will not be by itself, because something else is declared. A failure is waited out: the agent tries again.
Progress goes to standard error.

Examples:
  ai-fabric deployments wait qwen-armitage --for ready --timeout 10m
  ai-fabric deployments stop qwen-armitage && ai-fabric deployments wait qwen-armitage --for stopped`,
    );
  withConnection(wait).action(
    async (name: string, flags: ConnectionFlags & { for: WaitGoal; timeout: number }) => {
      const options = { timeoutSeconds: flags.timeout, json: flags.json === true };
      await waitUntil(connect(flags), name, flags.for, options);
    },
  );
}
