import { setTimeout as pause } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { hostDetailSchema, hostSchema } from '../../api/schemas.js';
import { upgradeOfferSchema } from '../../api/upgrade-schemas.js';
import type { ApiClient } from '../api-client.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { printJson, printTable } from '../output.js';
import { parseSeconds } from '../parse-seconds.js';
import { ProgressLine } from '../progress-line.js';
import { runUpgrades, type UpgradableHost, type UpgradePort, type UpgradeRow } from './run-upgrades.js';

interface UpgradeFlags extends ConnectionFlags {
  all?: boolean;
  canary: number;
  wait?: boolean;
  timeout: number;
}

const LOOK_AGAIN_MS = 1_000;
const MAX_CANARIES = 1_000;

export function addUpgradeCommand(hosts: Command): void {
  const upgrade = hosts
    .command('upgrade [host]')
    .description(
      'offer the agent that lies at the control plane to a host with an older one; its owner’s agent.yaml says what comes of it',
    )
    .option('--all', 'to every host with an older agent')
    .addOption(
      new Option(
        '--canary <count>',
        'with --all: first to so many, to the rest when those run it and are well',
      )
        .argParser(parseCount)
        .default(0, 'none'),
    )
    .option('--wait', 'until each that took it runs it and is well')
    .addOption(
      new Option(
        '--timeout <time>',
        'with --wait or --canary: how long at most, as 90s, 15m, 2h; exit code 1 after it',
      )
        .argParser(parseSeconds(1))
        .default(1800, '30m'),
    );
  withConnection(upgrade).action(async (name: string | undefined, flags: UpgradeFlags) => {
    const client = connect(flags);
    const chosen = await chooseHosts(client, name, flags);
    const progress = new ProgressLine(process.stderr);
    const { canary, wait = false, timeout } = flags;
    const { rows, problem } = await runUpgrades(
      { hosts: chosen, canary, wait, timeoutMs: timeout * 1_000 },
      portOf(client, progress, flags.all === true),
    ).finally(() => progress.end());
    if (flags.json) printJson(rows);
    else printRows(rows);
    if (problem !== null) throw new CliError(exitCodes.failed, problem, 'see: ai-fabric hosts');
    const not = rows.filter(({ answer }) => answer !== 'done');
    if (not.length > 0) {
      throw new CliError(exitCodes.failed, `not taken by ${not.map(({ host }) => host).join(', ')}`);
    }
  });
}

/** @throws CliError where it is not clear who is meant, or there is no such host */
async function chooseHosts(
  client: ApiClient,
  name: string | undefined,
  { all = false, canary }: UpgradeFlags,
): Promise<readonly UpgradableHost[]> {
  if ((name === undefined) !== all) {
    throw new CliError(exitCodes.usage, 'name a host, or --all of them', 'ai-fabric hosts upgrade --help');
  }
  if (name !== undefined) {
    if (canary > 0) throw new CliError(exitCodes.usage, '--canary goes with --all');
    return [await client.get(`/hosts/${encodeURIComponent(name)}`, hostDetailSchema)];
  }
  const hosts = await client.list('/hosts', hostSchema);
  return hosts.filter(({ newerAgent, revokedAtMs }) => newerAgent !== null && revokedAtMs === null);
}

function portOf(client: ApiClient, progress: ProgressLine, goesOn: boolean): UpgradePort {
  const pathOf = (host: string) => `/hosts/${encodeURIComponent(host)}`;
  return {
    offer: (host) => offer(client, host, goesOn),
    look: (host) => client.get(pathOf(host), hostDetailSchema),
    pause: () => pause(LOOK_AGAIN_MS),
    nowMs: () => performance.now(),
    tell: (text, phase) => progress.show(text, phase),
  };
}

/**
 * @param goesOn what this host cannot do is no reason not to ask the next
 * @throws CliError where the control plane is gone
 */
async function offer(
  client: ApiClient,
  host: UpgradableHost,
  goesOn: boolean,
): Promise<Omit<UpgradeRow, 'proven'>> {
  const { name, agentVersion, newerAgent } = host;
  try {
    return await client.post(`/hosts/${encodeURIComponent(name)}/offer-upgrade`, {}, upgradeOfferSchema);
  } catch (error) {
    if (!goesOn || !(error instanceof CliError) || error.exitCode === exitCodes.unreachable) throw error;
    const code = typeof error.details?.['code'] === 'string' ? error.details['code'] : null;
    const answer = code === 'host_away' ? 'away' : 'failed';
    const detail = error.fix === null ? error.message : `${error.message}; ${error.fix}`;
    return { host: name, from: agentVersion, version: newerAgent ?? '-', answer, code, detail };
  }
}

const ANSWERS: Readonly<Record<UpgradeRow['answer'], string>> = {
  done: 'taken',
  refused: 'refused',
  failed: 'failed',
  away: 'away',
  kept: 'not asked',
};

function printRows(rows: readonly UpgradeRow[]): void {
  printTable(
    ['HOST', 'FROM', 'TO', 'ANSWER', ''],
    rows.map(({ host, from, version, answer, code, detail, proven }) => [
      ...[host, from ?? '-', version],
      proven === true ? 'runs it' : ANSWERS[answer],
      [code, detail].filter((each) => each !== null).join(': '),
    ]),
  );
}

/** @throws InvalidArgumentError */
function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= MAX_CANARIES) return count;
  throw new InvalidArgumentError(`a whole number from 1 to ${MAX_CANARIES}`);
}
