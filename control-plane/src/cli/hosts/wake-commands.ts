import { setTimeout as pause } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { z } from 'zod';
import { hostDetailSchema, listOf } from '../../api/schemas.js';
import { wakeSchema } from '../../api/wake-schemas.js';
import type { ApiClient } from '../api-client.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { age, printJson, printTable } from '../output.js';
import { parseLimit } from '../parse-limit.js';
import { parseSeconds } from '../parse-seconds.js';
import { ProgressLine } from '../progress-line.js';
import { queryOf } from '../query-of.js';

type Wake = z.infer<typeof wakeSchema>;

interface WakeFlags extends ConnectionFlags {
  wait?: boolean;
  timeout: number;
}

const LOOK_AGAIN_MS = 500;

export function addWakeCommands(hosts: Command): void {
  const wake = hosts
    .command('wake <host>')
    .description('wake a host that sleeps or is off; quiet hours and cooldown do not hold it up')
    .option('--wait', 'until its models are ready, telling what goes on meanwhile')
    .addOption(
      new Option('--timeout <time>', 'with --wait: how long at most, as 90s, 15m; exit code 1 after it')
        .argParser(parseSeconds(1))
        .default(600, '10m'),
    );
  withConnection(wake).action(async (name: string, flags: WakeFlags) => {
    const client = connect(flags);
    let found = await client.post(`/hosts/${encodeURIComponent(name)}/wake`, {}, wakeSchema);
    if (flags.wait) found = await untilEnded(client, found, flags.timeout);
    if (flags.json) printJson(found);
    else console.log(describeWake(found));
    if (flags.wait && found.outcome !== 'ready') {
      throw new CliError(exitCodes.failed, found.detail ?? `${name} did not get ready`);
    }
  });
  const wakes = hosts
    .command('wakes [host]')
    .description('wakes of hosts, newest first: who asked, how long, what came of it')
    .addOption(new Option('--limit <count>', 'how many: 1 to 1000').argParser(parseLimit).default(20));
  withConnection(wakes).action(
    async (host: string | undefined, flags: ConnectionFlags & { limit: number }) => {
      const query = queryOf({ host, limit: String(flags.limit) });
      const { items } = await connect(flags).get(`/wakes?${query}`, listOf(wakeSchema));
      if (flags.json) printJson(items);
      else printWakes(items);
    },
  );
}

/** @throws CliError when it has not ended at the deadline */
async function untilEnded(client: ApiClient, wake: Wake, timeoutSeconds: number): Promise<Wake> {
  const deadlineMs = performance.now() + timeoutSeconds * 1000;
  const progress = new ProgressLine(process.stderr);
  try {
    for (;;) {
      const found = await client.get(`/wakes/${encodeURIComponent(wake.wakeId)}`, wakeSchema);
      if (found.outcome !== null) return found;
      const host = await client.get(`/hosts/${encodeURIComponent(wake.host)}`, hostDetailSchema);
      const { flight } = host.power;
      progress.show(`${wake.host}: ${flight?.text ?? 'waking'}`, flight?.phase ?? '');
      if (performance.now() >= deadlineMs) {
        const message = `${wake.host} is not ready after ${timeoutSeconds} s: ${flight?.text ?? 'waking'}`;
        throw new CliError(exitCodes.failed, message, 'the wake goes on; see: ai-fabric hosts wakes');
      }
      await pause(LOOK_AGAIN_MS);
    }
  } finally {
    progress.end();
  }
}

/** As "wintermute is ready: agent back after 34 s, model ready after 48 s". */
export function describeWake({ host, outcome, phases, detail }: Wake): string {
  const times = [
    ['agent back', phases['agent_back']],
    ['model ready', phases['model_ready']],
  ] as const;
  const told = times.flatMap(([what, ms]) => (ms === undefined ? [] : [`${what} after ${seconds(ms)}`]));
  const so = told.length === 0 ? '' : `: ${told.join(', ')}`;
  switch (outcome) {
    case null:
      return `${host} is woken${so}`;
    case 'ready':
      return `${host} is ready${so}`;
    case 'failed':
    case 'cancelled':
      return `${host} was not woken: ${detail ?? outcome}`;
    default:
      return outcome satisfies never;
  }
}

function printWakes(wakes: readonly Wake[]): void {
  const nowMs = Date.now();
  printTable(
    ['HOST', 'ASKED', 'BY', 'FOR', 'FROM', 'AGENT', 'READY', 'OUTCOME'],
    wakes.map((wake) => [
      wake.host,
      `${age(wake.askedAtMs, nowMs)} ago`,
      wake.askedBy,
      wake.role ?? wake.deployment ?? '-',
      wake.fromState,
      seconds(wake.phases['agent_back']),
      seconds(wake.phases['model_ready']),
      wake.outcome === 'failed' ? `failed at ${wake.failedPhase ?? '-'}` : (wake.outcome ?? 'under way'),
    ]),
  );
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? '-' : `${Math.round(ms / 1000)} s`;
}
