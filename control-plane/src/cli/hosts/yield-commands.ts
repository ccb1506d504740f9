import { setTimeout as pause } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { hostDetailSchema } from '../../api/schemas.js';
import type { ApiClient } from '../api-client.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { printJson } from '../output.js';
import { parseSeconds } from '../parse-seconds.js';
import { type HostDetail, ownerText } from './print-hosts.js';

interface YieldFlags extends ConnectionFlags {
  wait?: boolean;
  timeout: number;
}

const LOOK_AGAIN_MS = 250;

export function addYieldCommands(hosts: Command): void {
  const give = hosts
    .command('yield <host>')
    .description('give its cards to its owner: requests that run finish, then the cards are freed')
    .option('--wait', 'until the cards are free')
    .addOption(
      new Option('--timeout <time>', 'with --wait: how long at most, as 90s, 15m, 2h; exit code 1 after it')
        .argParser(parseSeconds(1))
        .default(900, '15m'),
    );
  withConnection(give).action(async (name: string, flags: YieldFlags) => {
    const client = connect(flags);
    const path = `/hosts/${encodeURIComponent(name)}`;
    let host = await client.post(`${path}/yield`, {}, hostDetailSchema);
    if (flags.wait) host = await untilFree(client, path, flags.timeout);
    if (flags.json) printJson(host);
    else console.log(`${host.name}: ${ownerText(host, Date.now())}`);
  });
  withConnection(
    hosts
      .command('unyield <host>')
      .description('take its cards back, unless its owner took them at the host'),
  ).action(async (name: string, flags: ConnectionFlags) => {
    const host = await connect(flags).post(
      `/hosts/${encodeURIComponent(name)}/unyield`,
      {},
      hostDetailSchema,
    );
    if (flags.json) printJson(host);
    else console.log(`${host.name}: ${ownerText(host, Date.now())}`);
  });
}

/** @throws CliError when the cards are not free at the deadline */
async function untilFree(client: ApiClient, path: string, timeoutSeconds: number): Promise<HostDetail> {
  const deadlineMs = performance.now() + timeoutSeconds * 1_000;
  for (;;) {
    const host = await client.get(path, hostDetailSchema);
    if (host.owner?.state === 'yielded') return host;
    if (performance.now() >= deadlineMs) {
      throw new CliError(
        exitCodes.failed,
        `the cards of ${host.name} are not free after ${timeoutSeconds} s; it goes on freeing them`,
        `see what holds them: ai-fabric hosts show ${host.name}`,
      );
    }
    await pause(LOOK_AGAIN_MS);
  }
}
