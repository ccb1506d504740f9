import { Command, Option } from 'commander';
import type { z } from 'zod';
import { hostTelemetrySchema } from '../../api/telemetry-schemas.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { printJson, printTable } from '../output.js';
import { parseMoment, parseStep } from '../parse-moment.js';
import { telemetryRows } from './telemetry-rows.js';

type Telemetry = z.infer<typeof hostTelemetrySchema>;

interface TelemetryFlags extends ConnectionFlags {
  from?: string;
  to?: string;
  step?: string;
  fields?: string;
}

/** What a terminal is wide enough for. */
const USUAL_FIELDS = [
  'host.cpuRatio',
  'gpu.utilisationRatio',
  'gpu.vramUsedBytes',
  'gpu.temperatureCelsius',
  'gpu.powerWatts',
  'replica.running',
  'replica.generationTokensPerSecond',
].join(',');

/** `ai-fabric hosts telemetry`. */
export function hostsTelemetryCommand(): Command {
  const command = new Command('telemetry')
    .description('what a host, its cards and its replicas did, up to 400 days back')
    .argument('<host>')
    .addOption(
      new Option(
        '--from <time>',
        'an age as 90s, 15m, 24h, 30d; ISO 8601; or milliseconds since 1970 (default 15m)',
      ).argParser(parseMoment),
    )
    .addOption(new Option('--to <time>', 'the same (default now)').argParser(parseMoment))
    .addOption(
      new Option('--step <time>', 'time of one row, as 30s, 10m, 2h (default: what fits)').argParser(
        parseStep,
      ),
    )
    .option('--fields <names>', 'after commas: "gpu.powerWatts", or "gpu" for all of cards')
    .addHelpText(
      'after',
      `
A row without values is a time without samples: nothing is filled in. Its state says why, where that is known.

Examples:
  ai-fabric hosts telemetry armitage --from 24h --step 1h
  ai-fabric hosts telemetry armitage --from 7d --fields gpu.powerWatts,gpu.temperatureCelsius
  ai-fabric hosts telemetry armitage --from 2026-11-01T00:00:00Z --to 2026-11-02T00:00:00Z
  ai-fabric hosts telemetry armitage --json | jq '.points[-1].gpus'`,
    );
  return withConnection(command).action(async (name: string, flags: TelemetryFlags) => {
    const query = new URLSearchParams();
    for (const option of ['from', 'to', 'step'] as const) {
      const value = flags[option];
      if (value !== undefined) query.set(option, value);
    }
    const fields = flags.fields ?? (flags.json ? undefined : USUAL_FIELDS);
    if (fields !== undefined) query.set('fields', fields);
    const path = `/hosts/${encodeURIComponent(name)}/telemetry?${query}`;
    const telemetry = await connect(flags).get(path, hostTelemetrySchema);
    if (flags.json) printJson(telemetry);
    else printTelemetry(telemetry);
  });
}

function printTelemetry(telemetry: Telemetry): void {
  const { heads, rows } = telemetryRows(telemetry);
  printTable(heads, rows);
  for (const { kind, fromMs, toMs, reason } of telemetry.stretches) {
    const why = reason === null ? '' : ` (${reason})`;
    console.log(`${kind} from ${new Date(fromMs).toISOString()} to ${new Date(toMs).toISOString()}${why}`);
  }
  for (const note of telemetry.notes) console.log(`note: ${note}`);
}
