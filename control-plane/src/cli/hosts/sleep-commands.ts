import { setTimeout as pause } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type SleepStanding, sleepActionSchema, sleepStandingSchema } from '../../api/sleep-schemas.js';
import type { ApiClient } from '../api-client.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { age, printJson } from '../output.js';
import { parseSeconds } from '../parse-seconds.js';
import { ProgressLine } from '../progress-line.js';

interface SleepFlags extends ConnectionFlags {
  action?: string;
  force?: boolean;
  wait?: boolean;
  timeout: number;
}

const LOOK_AGAIN_MS = 500;
const UNDER_WAY: Readonly<Record<string, string>> = {
  draining: 'requests finish',
  going: 'its engines are stopped, then it goes',
};

export function addSleepCommands(hosts: Command): void {
  const sleep = hosts
    .command('sleep <host>')
    .description('put a host to sleep as it is declared: requests finish, its engines stop, the machine goes')
    .addOption(
      new Option('--action <action>', 'another one than declared; container-only frees its cards').choices(
        sleepActionSchema.options,
      ),
    )
    .option(
      '--force',
      'although a guard speaks against it: its owner is there, it is kept awake, or a power-off was never proven',
    )
    .option('--wait', 'until it sleeps; exit code 1 where it does not')
    .addOption(
      new Option('--timeout <time>', 'with --wait: how long at most, as 90s, 15m; exit code 1 after it')
        .argParser(parseSeconds(1))
        .default(900, '15m'),
    );
  withConnection(sleep).action(async (name: string, flags: SleepFlags) => {
    const client = connect(flags);
    const path = `/hosts/${encodeURIComponent(name)}/sleep`;
    const { action, force = false } = flags;
    const asked = { force, ...(action === undefined ? {} : { action }) };
    let standing = await client.post(path, asked, sleepStandingSchema);
    if (flags.wait) standing = await untilSettled(client, path, standing, flags.timeout);
    if (flags.json) printJson(standing);
    else console.log(describeSleep(standing));
    if (flags.wait && standing.last?.outcome !== 'asleep') {
      throw new CliError(exitCodes.failed, standing.last?.detail ?? `${name} did not go to sleep`);
    }
  });
  withConnection(
    hosts
      .command('keep-awake <host> <time>')
      .description('not put to sleep for so long, as 90s, 15m, 2h, 1d up to 7d; "off": no longer'),
  ).action(async (name: string, time: string, flags: ConnectionFlags) => {
    const path = `/hosts/${encodeURIComponent(name)}/keep-awake`;
    const standing = await connect(flags).post(path, { seconds: leaseSeconds(time) }, sleepStandingSchema);
    if (flags.json) printJson(standing);
    else console.log(describeLease(standing));
  });
}

/** As "armitage is asleep", "armitage stays awake: …". */
function describeSleep({ host, state, goingToSleep, last }: SleepStanding): string {
  if (goingToSleep !== null) {
    return `${host} goes to sleep (${goingToSleep.action}): ${UNDER_WAY[goingToSleep.phase] ?? goingToSleep.phase}`;
  }
  if (last?.outcome === 'failed') return `${host} stays awake: ${last.detail ?? last.code}`;
  if (last?.action === 'container-only') return `${host} has freed its cards, and stays on`;
  return state === 'online' ? `${host} is awake` : `${host} is asleep`;
}

function describeLease({ host, keepAwakeUntilMs, keptAwakeBy }: SleepStanding): string {
  if (keepAwakeUntilMs !== null) return `${host} is kept awake for ${age(Date.now(), keepAwakeUntilMs)}`;
  return keptAwakeBy === null ? `${host} may sleep` : `${host} may sleep later: ${keptAwakeBy.detail}`;
}

/** @throws InvalidArgumentError */
function leaseSeconds(text: string): number {
  if (text === 'off') return 0;
  try {
    return parseSeconds(1)(text);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new CliError(exitCodes.usage, `"${text}" is no time`, `${error.message}, or "off"`);
  }
}

/** @throws CliError when it is still on its way at the deadline */
async function untilSettled(
  client: ApiClient,
  path: string,
  first: SleepStanding,
  timeoutSeconds: number,
): Promise<SleepStanding> {
  const deadlineMs = performance.now() + timeoutSeconds * 1000;
  const progress = new ProgressLine(process.stderr);
  let standing = first;
  try {
    while (standing.goingToSleep !== null) {
      if (performance.now() >= deadlineMs) {
        throw new CliError(exitCodes.failed, `${describeSleep(standing)}; not after ${timeoutSeconds} s`);
      }
      progress.show(describeSleep(standing), standing.goingToSleep.phase);
      await pause(LOOK_AGAIN_MS);
      standing = await client.get(path, sleepStandingSchema);
    }
    return standing;
  } finally {
    progress.end();
  }
}
