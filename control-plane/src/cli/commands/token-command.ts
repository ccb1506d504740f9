import { nameSchema } from '@ai-fabric/shared';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import { joinTokenSchema, newJoinTokenSchema } from '../../api/schemas.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import {
  describeInstallLines,
  LINE_SYSTEMS,
  type LineSystem,
  lineFor,
  tellCreated,
} from '../hosts/print-install-lines.js';
import { keepSecret } from '../keep-secret.js';
import { age, printJson, printTable } from '../output.js';
import { parseSeconds } from '../parse-seconds.js';

interface CreateFlags extends ConnectionFlags {
  host?: string;
  ttl: number;
  out?: string;
  line?: LineSystem;
}

export function tokenCommand(): Command {
  const token = new Command('token').description('join tokens for new hosts: create, list, revoke');
  addCreate(token);
  withConnection(
    token.command('list', { isDefault: true }).description('join tokens and what became of them'),
  ).action(async (flags: ConnectionFlags) => {
    const items = await connect(flags).list('/join-tokens', joinTokenSchema);
    if (flags.json) printJson(items);
    else printTokens(items);
  });
  withConnection(token.command('revoke <id>').description('revoke a token that was not used yet')).action(
    async (id: string, flags: ConnectionFlags) => {
      await connect(flags).delete(`/join-tokens/${encodeURIComponent(id)}`);
      if (flags.json) printJson({ id, state: 'revoked' });
      else console.log(`${id} is revoked`);
    },
  );
  return token.addHelpText(
    'after',
    `
Examples:
  ai-fabric token create                       # prints the token once, and how to use it
  ai-fabric token create --line linux | ssh root@armitage sh    # installs its agent there
  ai-fabric token create --host armitage --ttl 15m --out armitage.token
  ai-fabric token list --json`,
  );
}

function addCreate(token: Command): void {
  const create = token
    .command('create')
    .description('make a token: single use, shown once')
    .option('--host <name>', 'only a host of this name may use it', parseHostName)
    .addOption(
      new Option('--ttl <time>', 'how long it may be used: 90s, 15m, 2h, 1d')
        .argParser(parseSeconds(60))
        .default(3600, '1h'),
    )
    .addOption(
      new Option('--out <file>', 'write the token to a file (mode 0600) instead of printing it').conflicts(
        'line',
      ),
    )
    .addOption(
      new Option('--line <system>', 'print the line alone that installs an agent on such a host').choices(
        LINE_SYSTEMS,
      ),
    );
  withConnection(create).action(async (flags: CreateFlags) => {
    const body = { ttlSeconds: flags.ttl, ...(flags.host === undefined ? {} : { hostName: flags.host }) };
    const client = connect(flags);
    const make = () => client.post('/join-tokens', body, newJoinTokenSchema);
    const created = await keepSecret(flags.out, make, (made) => made.token);
    if (flags.json) printJson(tellCreated(created, flags.out));
    else if (flags.line !== undefined) console.log(lineFor(created, flags.line));
    else printCreated(created, flags.out);
  });
}

function printCreated(created: z.infer<typeof newJoinTokenSchema>, file: string | undefined): void {
  const server = created.serverUrls[0] ?? 'https://CONTROL-PLANE:8443';
  const minutes = Math.round((created.expiresAtMs - Date.now()) / 60_000);
  if (file === undefined) console.log(created.token);
  const by = created.hostName ? `, by ${created.hostName} only` : '';
  console.error(`\nOne use, within ${minutes} min${by}.`);
  const lines = describeInstallLines(created.install);
  if (file === undefined && lines.length > 0) {
    printLines(lines);
    return;
  }
  if (file === undefined)
    console.error(
      `No line that installs an agent: no release is served at ${server}/install/. The control plane’s log says why (room: install).`,
    );
  console.error('On a host that has the agent already:');
  console.error(`  ai-fabric-agent join --server ${server} --token-file ${file ?? '-'}`);
  if (file === undefined) console.error('and paste the token; then: ai-fabric-agent run');
}

/** Whoever reads our output by program wants the token there, and no more; and what is no terminal may be a log. */
function printLines(lines: readonly string[]): void {
  if (process.stdout.isTTY) console.log(lines.join('\n'));
  else console.error('For the line that installs an agent: ai-fabric token create --line linux (or windows)');
}

function printTokens(tokens: readonly z.infer<typeof joinTokenSchema>[]): void {
  const nowMs = Date.now();
  printTable(
    ['ID', 'STATE', 'FOR', 'MADE', 'USED BY'],
    tokens.map((each) => [
      each.id,
      each.state,
      each.hostName ?? 'any host',
      `${age(each.createdAtMs, nowMs)} ago`,
      each.usedByHost ?? '-',
    ]),
  );
}

function parseHostName(text: string): string {
  const parsed = nameSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(parsed.error.issues[0]?.message ?? 'not a host name');
}
