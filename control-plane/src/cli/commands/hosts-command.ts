import { Command } from 'commander';
import type { z } from 'zod';
import { hostSchema } from '../../api/schemas.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { age, gib, mibPerSecond, percent, printJson, printTable } from '../output.js';
import { hostsTelemetryCommand } from './hosts-telemetry-command.js';

type Host = z.infer<typeof hostSchema>;

export function hostsCommand(): Command {
  const hosts = new Command('hosts').description(
    'machines with an agent: list, show, telemetry, drain, undrain',
  );
  withConnection(
    hosts.command('list', { isDefault: true }).description('all hosts, declared or joined'),
  ).action(async (flags: ConnectionFlags) => {
    const items = await connect(flags).list('/hosts', hostSchema);
    if (flags.json) printJson(items);
    else printHosts(items);
  });
  withConnection(hosts.command('show <host>').description('everything known of one host')).action(
    async (name: string, flags: ConnectionFlags) => {
      const host = await connect(flags).get(`/hosts/${encodeURIComponent(name)}`, hostSchema);
      if (flags.json) printJson(host);
      else printHost(host);
    },
  );
  for (const verb of ['drain', 'undrain'] as const) {
    const description =
      verb === 'drain' ? 'take no new requests; those under way finish' : 'take requests again';
    withConnection(hosts.command(`${verb} <host>`).description(description)).action(
      async (name: string, flags: ConnectionFlags) => {
        const host = await connect(flags).post(`/hosts/${encodeURIComponent(name)}/${verb}`, {}, hostSchema);
        if (flags.json) printJson(host);
        else console.log(`${host.name} ${host.draining ? 'is draining' : 'takes requests'}`);
      },
    );
  }
  hosts.addCommand(hostsTelemetryCommand());
  return hosts.addHelpText(
    'after',
    `
Examples:
  ai-fabric hosts
  ai-fabric hosts show armitage
  ai-fabric hosts telemetry armitage --from 24h
  ai-fabric hosts drain armitage      # before maintenance
  ai-fabric hosts --json | jq '.[] | select(.presence == "online") | .name'`,
  );
}

function printHosts(hosts: readonly Host[]): void {
  const nowMs = Date.now();
  printTable(
    ['HOST', 'STATE', 'SEEN', 'CARD', 'VRAM', 'GPU', 'CPU', 'ISSUES'],
    hosts.map((host) => {
      const [card] = host.inventory?.gpus ?? [];
      const reading = card ? host.sample?.gpus[card.uuid] : undefined;
      return [
        host.name,
        presenceText(host),
        host.presence === 'online' ? 'now' : age(host.lastSeenMs, nowMs),
        card ? cardText(host) : '-',
        reading ? `${gib(reading.vramUsedBytes)} of ${gib(reading.vramTotalBytes)}` : '-',
        percent(reading?.utilisationRatio),
        percent(host.sample?.host.cpuRatio),
        host.issues.map((issue) => issue.code).join(', ') || '-',
      ];
    }),
  );
}

function presenceText(host: Host): string {
  if (host.draining) return `${host.presence}, draining`;
  if (host.presence === 'away' && host.mayBeAway) return 'away (normal)';
  return host.presence;
}

function cardText(host: Host): string {
  const gpus = host.inventory?.gpus ?? [];
  const name = gpus[0]?.name.replace(/^NVIDIA (GeForce )?/, '') ?? '-';
  return gpus.length > 1 ? `${gpus.length} × ${name}` : name;
}

function printReading(reading: NonNullable<Host['sample']>['host']): void {
  const of = (used: number | null, total: number | null) => `${gib(used)} of ${gib(total)}`;
  console.log(`  CPU           ${percent(reading.cpuRatio)}`);
  console.log(`  memory        ${of(reading.memoryUsedBytes, reading.memoryTotalBytes)}`);
  console.log(`  disk          ${of(reading.diskUsedBytes, reading.diskTotalBytes)}`);
  const { networkReceivedBytesPerSecond: received, networkSentBytesPerSecond: sent } = reading;
  console.log(`  network       ${mibPerSecond(received)} in, ${mibPerSecond(sent)} out`);
}

function printHost(host: Host): void {
  const nowMs = Date.now();
  const { inventory, sample } = host;
  console.log(`${host.name}: ${presenceText(host)} for ${age(host.presenceSinceMs, nowMs)}`);
  console.log(`  last seen     ${host.presence === 'online' ? 'now' : age(host.lastSeenMs, nowMs)}`);
  if (host.goodbyeReason) console.log(`  said goodbye  ${host.goodbyeReason}`);
  console.log(`  agent         ${host.agentVersion ?? '-'} from ${host.peerAddress ?? '-'}`);
  if (inventory) {
    console.log(`  system        ${inventory.osName}, ${inventory.kernel}, ${inventory.architecture}`);
    console.log(
      `  processor     ${inventory.cpuModel}, ${inventory.cpuThreads} threads, ${gib(inventory.memoryTotalBytes)}`,
    );
    for (const each of inventory.interfaces) {
      const gateway = each.gatewayMac === null ? '' : `, gateway ${each.gatewayMac}`;
      console.log(
        `  interface     ${each.name} ${each.mac} ${each.kind} ${each.addresses.join(' ')}${gateway}`,
      );
    }
  }
  if (sample) printReading(sample.host);
  for (const gpu of inventory?.gpus ?? []) {
    const reading = sample?.gpus[gpu.uuid];
    console.log(
      `  card          ${gpu.name}, ${gib(reading?.vramUsedBytes)} of ${gib(gpu.vramTotalBytes)}, ` +
        `${percent(reading?.utilisationRatio)}, ${reading?.temperatureCelsius ?? '-'} °C, ${reading?.powerWatts ?? '-'} W`,
    );
  }
  for (const issue of host.issues) {
    console.log(`  ${issue.severity.padEnd(13)} ${issue.code} (${issue.subject}): ${issue.detail}`);
    if (issue.fix) console.log(`                → ${issue.fix}`);
  }
}
