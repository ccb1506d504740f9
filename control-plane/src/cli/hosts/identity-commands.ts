import { type Command, Option } from 'commander';
import { hostDetailSchema, newJoinTokenSchema } from '../../api/schemas.js';
import { confirmByName } from '../confirm.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { keepSecret } from '../keep-secret.js';
import { printJson } from '../output.js';
import { parseSeconds } from '../parse-seconds.js';
import { describeInstallLines, tellCreated } from './print-install-lines.js';

interface ReEnrolFlags extends ConnectionFlags {
  ttl: number;
  out?: string;
}

interface RevokeFlags extends ConnectionFlags {
  yes?: boolean;
}

interface RemoveFlags extends RevokeFlags {
  force?: boolean;
}

export function addIdentityCommands(hosts: Command): void {
  addRevoke(hosts);
  addReEnrol(hosts);
  addRemove(hosts);
  withConnection(
    hosts
      .command('clear-conflict <host>')
      .description('the second holder of this host’s key was dealt with: clear identity_in_use'),
  ).action(async (name: string, flags: ConnectionFlags) => {
    await connect(flags).delete(`/hosts/${encodeURIComponent(name)}/identity-conflict`);
    if (flags.json) printJson({ name, identityConflict: null });
    else console.log(`${name}: cleared; it is told again when somebody else comes with its key`);
  });
}

function addRevoke(hosts: Command): void {
  withConnection(
    hosts
      .command('revoke <host>')
      .description('refuse its key from now on: its link ends at once, and it does not come back with it')
      .option('--yes', 'do not ask'),
  ).action(async (name: string, flags: RevokeFlags) => {
    const client = connect(flags);
    const path = `/hosts/${encodeURIComponent(name)}/revoke`;
    if (!flags.yes) await confirmByName(name, `Refuse the key of ${name} for good?`);
    const host = await client.post(path, {}, hostDetailSchema);
    if (flags.json) printJson(host);
    else {
      console.log(`${host.name} is revoked: its link has ended, and its key is refused from now on.`);
      console.log(`To let it back with a new key: ai-fabric hosts re-enrol ${host.name}`);
    }
  });
}

function addReEnrol(hosts: Command): void {
  const reEnrol = hosts
    .command('re-enrol <host>')
    .description('a reinstalled machine keeps its name and history: makes the token that it joins with')
    .addOption(
      new Option('--ttl <time>', 'how long the token may be used: 90s, 15m, 2h, 1d')
        .argParser(parseSeconds(60))
        .default(3600, '1h'),
    )
    .option('--out <file>', 'write the token to a file (mode 0600) instead of printing it');
  withConnection(reEnrol).action(async (name: string, flags: ReEnrolFlags) => {
    const path = `/hosts/${encodeURIComponent(name)}/re-enrol`;
    const client = connect(flags);
    const make = () => client.post(path, { ttlSeconds: flags.ttl }, newJoinTokenSchema);
    const created = await keepSecret(flags.out, make, (made) => made.token);
    if (flags.json) {
      printJson(tellCreated(created, flags.out));
      return;
    }
    const server = created.serverUrls[0] ?? 'https://CONTROL-PLANE:8443';
    if (flags.out === undefined) console.log(created.token);
    console.error(
      `\nOne use, by ${name} only. On the reinstalled machine, with no former agent's state on it:`,
    );
    const lines = describeInstallLines(created.install);
    if (flags.out === undefined && process.stdout.isTTY && lines.length > 0) console.log(lines.join('\n'));
    else {
      const source = flags.out ?? '-';
      console.error(`  ai-fabric-agent join --server ${server} --name ${name} --token-file ${source}`);
    }
    console.error(`The key that ${name} has now works until then, and is refused afterwards.`);
  });
}

function addRemove(hosts: Command): void {
  const remove = hosts
    .command('remove <host>')
    .description('forget the host and its history; one that is declared stays listed as unseen')
    .option('--yes', 'do not ask')
    .option('--force', 'also while it is linked: its link ends');
  withConnection(remove).action(async (name: string, flags: RemoveFlags) => {
    const client = connect(flags);
    const path = `/hosts/${encodeURIComponent(name)}`;
    if (!flags.yes) await confirmByName(name, `Forget ${name} with everything that was seen of it?`);
    await client.delete(flags.force ? `${path}?force=true` : path);
    if (flags.json) printJson({ name, removed: true });
    else console.log(`${name} and its history are forgotten`);
  });
}
