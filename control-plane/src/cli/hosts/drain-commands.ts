import { setTimeout as pause } from 'node:timers/promises';
import { countOf } from '@ai-fabric/shared';
import { type Command, Option } from 'commander';
import { hostDetailSchema } from '../../api/schemas.js';
import type { ApiClient } from '../api-client.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { printJson } from '../output.js';
import { parseSeconds } from '../parse-seconds.js';
import type { HostDetail } from './print-hosts.js';

interface DrainFlags extends ConnectionFlags {
  wait?: boolean;
  timeout: number;
}

const LOOK_AGAIN_MS = 500;

export function addDrainCommands(hosts: Command): void {
  const drain = hosts
    .command('drain <host>')
    .description('take no new requests; those under way finish')
    .option('--wait', 'until no request of this fabric runs there any more')
    .addOption(
      new Option('--timeout <time>', 'with --wait: how long at most, as 90s, 15m, 2h; exit code 1 after it')
        .argParser(parseSeconds(1))
        .default(1800, '30m'),
    );
  withConnection(drain).action(async (name: string, flags: DrainFlags) => {
    const client = connect(flags);
    const path = `/hosts/${encodeURIComponent(name)}`;
    let host = await client.post(`${path}/drain`, {}, hostDetailSchema);
    if (flags.wait) host = await untilIdle(client, path, flags.timeout);
    if (flags.json) printJson(host);
    else console.log(`${host.name} is draining, ${countOf(host.requestsInFlight, 'request')} under way`);
  });
  withConnection(hosts.command('undrain <host>').description('take requests again')).action(
    async (name: string, flags: ConnectionFlags) => {
      const path = `/hosts/${encodeURIComponent(name)}/undrain`;
      const host = await connect(flags).post(path, {}, hostDetailSchema);
      if (flags.json) printJson(host);
      else console.log(`${host.name} takes requests`);
    },
  );
}

/** @throws CliError when requests run on at the deadline, or when somebody undrained it */
async function untilIdle(client: ApiClient, path: string, timeoutSeconds: number): Promise<HostDetail> {
  const deadlineMs = performance.now() + timeoutSeconds * 1000;
  for (;;) {
    const host = await client.get(path, hostDetailSchema);
    if (!host.draining) {
      throw new CliError(exitCodes.failed, `${host.name} was undrained by somebody else meanwhile`);
    }
    if (host.requestsInFlight === 0) return host;
    if (performance.now() >= deadlineMs) {
      throw new CliError(
        exitCodes.failed,
        `${countOf(host.requestsInFlight, 'request still runs', 'requests still run')} on ${host.name} after ${timeoutSeconds} s; it goes on draining`,
        `wait longer with --timeout, or take it back with: ai-fabric hosts undrain ${host.name}`,
      );
    }
    await pause(LOOK_AGAIN_MS);
  }
}
