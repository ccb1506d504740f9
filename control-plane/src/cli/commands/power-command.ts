import { Command, Option } from 'commander';
import { type PowerReport, powerReportSchema } from '../../api/power-schemas.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { age, printJson, printTable } from '../output.js';
import { parseSeconds } from '../parse-seconds.js';
import { queryOf } from '../query-of.js';

interface PowerFlags extends ConnectionFlags {
  readonly since: number;
}

export function powerCommand(): Command {
  const power = new Command('power')
    .description('where hosts’ hours went, what they drew and cost, and what each wake was for')
    .addOption(
      new Option('--since <time>', 'how far back, as 12h, 7d; whole days of UTC')
        .argParser(parseSeconds(60))
        .default(7 * 86_400, '7d'),
    );
  withConnection(power).action(async ({ since, ...flags }: PowerFlags) => {
    const from = String(Date.now() - since * 1000);
    const report = await connect(flags).get(`/power?${queryOf({ from })}`, powerReportSchema);
    if (flags.json) printJson(report);
    else printPower(report);
  });
  return power.addHelpText(
    'after',
    `
Energy is what the cards told, with hosts.X.energy of fabric.yaml for the machine itself; money needs a tariff, and
prices of the providers' models. "-": not known, which is not free.

Examples:
  ai-fabric power
  ai-fabric power --since 1d --json | jq '.hosts[] | {host, kilowattHours, cost}'`,
  );
}

function printPower({ hosts, wakes, currency }: PowerReport): void {
  printTable(
    ['HOST', 'AWAKE', 'ASLEEP', 'CARDS', 'ENERGY', 'COST'],
    hosts.map((each) => [
      ...[each.host, hours(each.awakeSeconds), hours(each.asleepSeconds)],
      ...[energy(each.cardKilowattHours), energy(each.kilowattHours), money(each.cost, currency)],
    ]),
  );
  if (wakes.length === 0) return;
  console.log('');
  const nowMs = Date.now();
  printTable(
    ['WAKE OF', 'ASKED', 'BY', 'FOR', 'READY', 'AWAKE', 'REQUESTS', 'COST', 'CLOUD'],
    wakes.map(({ wake, awakeSeconds, requests, cost, cloudCost }) => [
      ...[wake.host, `${age(wake.askedAtMs, nowMs)} ago`, wake.askedBy, wake.role ?? '-'],
      ready(wake),
      hours(awakeSeconds),
      requests === null ? '-' : String(requests.count),
      ...[money(cost, currency), money(cloudCost, currency)],
    ]),
  );
}

function ready({ outcome, phases }: PowerReport['wakes'][number]['wake']): string {
  const ms = phases['model_ready'];
  if (ms !== undefined) return `${Math.round(ms / 1000)} s`;
  return outcome ?? 'under way';
}

function hours(seconds: number): string {
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3_600).toFixed(1)} h`;
}

function energy(kilowattHours: number | null): string {
  return kilowattHours === null ? '-' : `${kilowattHours.toFixed(2)} kWh`;
}

function money(amount: number | null, currency: string | null): string {
  return amount === null || currency === null ? '-' : `${amount.toFixed(2)} ${currency}`;
}
