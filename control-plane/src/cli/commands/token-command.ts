import { writeFileSync } from 'node:fs';
import { nameSchema } from '@ai-fabric/shared';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import { joinTokenSchema, newJoinTokenSchema } from '../../api/schemas.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { age, printJson, printTable } from '../output.js';

interface CreateFlags extends ConnectionFlags {
  host?: string;
  ttl: number;
  out?: string;
}

export function tokenCommand(): Command {
  const token = new Command('token').description('join tokens for new hosts: create, list, revoke');
  addCreate(token);
  withConnection(token.command('list').description('join tokens and what became of them')).action(
    async (flags: ConnectionFlags) => {
      const items = await connect(flags).list('/join-tokens', joinTokenSchema);
      if (flags.json) printJson(items);
      else printTokens(items);
    },
  );
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
        .argParser(parseSeconds)
        .default(3600, '1h'),
    )
    .option('--out <file>', 'write the token to a file (mode 0600) instead of printing it');
  withConnection(create).action(async (flags: CreateFlags) => {
    const body = { ttlSeconds: flags.ttl, ...(flags.host === undefined ? {} : { hostName: flags.host }) };
    const created = await connect(flags).post('/join-tokens', body, newJoinTokenSchema);
    if (flags.out !== undefined) writeFileSync(flags.out, `${created.token}\n`, { mode: 0o600, flag: 'wx' });
    if (flags.json) {
      const { token: secret, ...rest } = created;
      printJson(flags.out === undefined ? { ...rest, token: secret } : { ...rest, file: flags.out });
      return;
    }
    printCreated(created, flags.out);
  });
}

function printCreated(created: z.infer<typeof newJoinTokenSchema>, file: string | undefined): void {
  const server = created.serverUrls[0] ?? 'https://CONTROL-PLANE:8443';
  const minutes = Math.round((created.expiresAtMs - Date.now()) / 60_000);
  if (file === undefined) console.log(created.token);
  console.error(
    `\nOne use, within ${minutes} min${created.hostName ? `, by ${created.hostName} only` : ''}. On the new host:`,
  );
  const source = file ?? '-';
  console.error(`  ai-fabric-agent join --server ${server} --token-file ${source}`);
  if (file === undefined) console.error('and paste the token; then: ai-fabric-agent run');
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

const secondsPer: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function parseHostName(text: string): string {
  const parsed = nameSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(parsed.error.issues[0]?.message ?? 'not a host name');
}

function parseSeconds(text: string): number {
  const match = /^(\d{1,7})([smhd])$/.exec(text);
  const seconds = Number(match?.[1]) * (secondsPer[match?.[2] ?? ''] ?? Number.NaN);
  if (!Number.isInteger(seconds) || seconds < 60 || seconds > 7 * 86_400) {
    throw new InvalidArgumentError('a time from 60s to 7d, as 90s, 15m, 2h or 1d');
  }
  return seconds;
}
