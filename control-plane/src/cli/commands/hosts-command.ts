import { Command } from 'commander';
import { hostDetailSchema, hostSchema } from '../../api/schemas.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { addDrainCommands } from '../hosts/drain-commands.js';
import { addIdentityCommands } from '../hosts/identity-commands.js';
import { printHost, printHosts } from '../hosts/print-hosts.js';
import { addRehearseCommand } from '../hosts/rehearse-command.js';
import { addSleepCommands } from '../hosts/sleep-commands.js';
import { addUpgradeCommand } from '../hosts/upgrade-command.js';
import { addWakeCommands } from '../hosts/wake-commands.js';
import { addYieldCommands } from '../hosts/yield-commands.js';
import { printJson } from '../output.js';
import { hostsTelemetryCommand } from './hosts-telemetry-command.js';

export function hostsCommand(): Command {
  const hosts = new Command('hosts').description(
    'machines with an agent: list, show, telemetry, drain, undrain, yield, unyield, wake, wakes, rehearse, sleep, keep-awake, upgrade, revoke, re-enrol, remove, clear-conflict',
  );
  withConnection(
    hosts.command('list', { isDefault: true }).description('all hosts, declared or joined'),
  ).action(async (flags: ConnectionFlags) => {
    const items = await connect(flags).list('/hosts', hostSchema);
    if (flags.json) printJson(items);
    else printHosts(items);
  });
  withConnection(
    hosts.command('show <host>').description('everything known of one host, and since when'),
  ).action(async (name: string, flags: ConnectionFlags) => {
    const host = await connect(flags).get(`/hosts/${encodeURIComponent(name)}`, hostDetailSchema);
    if (flags.json) printJson(host);
    else printHost(host);
  });
  hosts.addCommand(hostsTelemetryCommand());
  addDrainCommands(hosts);
  addYieldCommands(hosts);
  addWakeCommands(hosts);
  addRehearseCommand(hosts);
  addSleepCommands(hosts);
  addUpgradeCommand(hosts);
  addIdentityCommands(hosts);
  return hosts.addHelpText(
    'after',
    `
Examples:
  ai-fabric hosts
  ai-fabric hosts show armitage
  ai-fabric hosts telemetry armitage --from 24h
  ai-fabric hosts drain armitage --wait --timeout 10m    # before maintenance
  ai-fabric hosts yield armitage --wait                  # its owner needs the card
  ai-fabric hosts wake armitage --wait                   # it sleeps, or is off
  ai-fabric hosts rehearse armitage                      # does it come back?
  ai-fabric hosts sleep armitage --wait
  ai-fabric hosts keep-awake armitage 2h                 # "off" ends it
  ai-fabric hosts upgrade --all --canary 1               # agents that are older than what lies here
  ai-fabric hosts re-enrol armitage                      # its system was installed anew
  ai-fabric hosts revoke armitage                        # its key is in wrong hands
  ai-fabric hosts remove armitage --yes
  ai-fabric hosts --json | jq '.[] | select(.presence == "online") | .name'`,
  );
}
