import { Command, InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import { keySchema, newKeySchema } from '../../api/key-schemas.js';
import { confirmByName } from '../confirm.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { nameKeyFlags } from '../decide/name-key-flags.js';
import { CliError } from '../exit-codes.js';
import { keepSecret } from '../keep-secret.js';
import { printJson, printTable } from '../output.js';
import {
  type LimitFlags,
  type PermitFlags,
  parseSpan,
  readLimits,
  readPermits,
  withLimits,
  withPermits,
} from './key-flags.js';

type Key = z.infer<typeof keySchema>;

interface SecretFlags extends ConnectionFlags {
  out?: string;
}

export function keysCommand(): Command {
  const keys = new Command('keys').description(
    'keys of applications: create, list, show, permit, limits, rotate, revoke',
  );
  addReads(keys);
  addCreate(keys);
  addChanges(keys);
  addRotate(keys);
  addRevoke(keys);
  return keys.addHelpText(
    'after',
    `
"anonymous" is the key of callers on loopback and the tailnet that bring none.

Examples:
  ai-fabric keys create obsidian --roles chat-fast,embeddings-general --expires 90d
  ai-fabric keys create ci --may-cloud --tokens-per-minute 200000 --concurrent 4 --out ci.key
  ai-fabric keys limits anonymous --requests-per-minute 60
  ai-fabric keys permit obsidian --may-wake --no-may-cloud
  ai-fabric keys permit ci --keep-bodies 7d
  ai-fabric keys permit nightly --class batch --most-urgent normal
  ai-fabric keys rotate obsidian --grace 1h
  ai-fabric keys revoke obsidian`,
  );
}

function addReads(keys: Command): void {
  withConnection(
    keys
      .command('list', { isDefault: true })
      .description('all keys but the revoked ones; never their secrets')
      .option('--revoked', 'revoked ones too'),
  ).action(async (flags: ConnectionFlags & { revoked?: boolean }) => {
    const all = await connect(flags).list('/keys', keySchema);
    const items = all.filter(({ state }) => flags.revoked === true || state !== 'revoked');
    if (flags.json) printJson(items);
    else printKeys(items);
  });
  withConnection(keys.command('show <key>').description('one key, by name or id')).action(
    async (key: string, flags: ConnectionFlags) =>
      tell(await connect(flags).get(pathOf(key), keySchema), flags),
  );
}

function addCreate(keys: Command): void {
  const create = keys
    .command('create <name>')
    .description('make a key: its secret is shown once')
    .option('--out <file>', 'write the secret to a file (mode 0600) instead of printing it');
  withConnection(withLimits(withPermits(create))).action(
    async (name: string, flags: PermitFlags & LimitFlags & SecretFlags) => {
      const body = { name, ...readPermits(flags), limits: readLimits(flags) };
      await makeSecret('/keys', body, flags);
    },
  );
}

function addChanges(keys: Command): void {
  const permit = keys
    .command('permit <key>')
    .description('change what it may ask for, wake and spend, how urgent it is, and until when');
  withConnection(withPermits(permit)).action(async (key: string, flags: PermitFlags) =>
    tell(await inFlags(connect(flags).patch(pathOf(key), readPermits(flags), keySchema)), flags),
  );
  const limits = keys.command('limits <key>').description('change its limits; what is not named stays');
  withConnection(withLimits(limits)).action(async (key: string, flags: LimitFlags) =>
    tell(await inFlags(connect(flags).patch(pathOf(key), { limits: readLimits(flags) }, keySchema)), flags),
  );
}

function addRotate(keys: Command): void {
  const rotate = keys
    .command('rotate <key>')
    .description('a new secret, shown once; the one before stays good for a while')
    .addOption(
      new Option('--grace <time>', 'how long the one before stays good: 0s, 15m, 2h, 7d')
        .argParser(parseGrace)
        .default(86_400, '1d'),
    )
    .option('--out <file>', 'write the secret to a file (mode 0600) instead of printing it');
  withConnection(rotate).action(async (key: string, flags: SecretFlags & { grace: number }) => {
    await makeSecret(`${pathOf(key)}/rotate`, { graceSeconds: flags.grace }, flags);
  });
}

function addRevoke(keys: Command): void {
  const revoke = keys
    .command('revoke <key>')
    .description('for ever; what it has under way ends at once')
    .option('--yes', 'do not ask');
  withConnection(revoke).action(async (key: string, flags: ConnectionFlags & { yes?: boolean }) => {
    const client = connect(flags);
    if (!flags.yes)
      await confirmByName(key, `Refuse the key ${key} for ever, and end what it has under way?`);
    await client.delete(pathOf(key));
    if (flags.json) printJson({ key, state: 'revoked' });
    else console.log(`${key} is revoked`);
  });
}

async function makeSecret(path: string, body: object, flags: SecretFlags): Promise<void> {
  const client = connect(flags);
  const make = () => inFlags(client.post(path, body, newKeySchema));
  tellSecret(await keepSecret(flags.out, make, ({ secret }) => secret), flags);
}

/** What is refused is said of what was typed. @throws {CliError} */
async function inFlags<Value>(call: Promise<Value>): Promise<Value> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const { exitCode, message, fix, details } = error;
    throw new CliError(exitCode, nameKeyFlags(message), fix, details);
  }
}

function pathOf(key: string): string {
  return `/keys/${encodeURIComponent(key)}`;
}

function parseGrace(text: string): number {
  const seconds = parseSpan(text);
  if (seconds === null) throw new InvalidArgumentError('a time such as 0s, 15m, 2h or 7d');
  return seconds;
}

function tell(key: Key, flags: ConnectionFlags): void {
  if (flags.json) printJson(key);
  else printKeys([key]);
}

function tellSecret({ secret, key }: z.infer<typeof newKeySchema>, flags: SecretFlags): void {
  if (flags.json) {
    printJson(flags.out === undefined ? { key, secret } : { key, file: flags.out });
    return;
  }
  if (flags.out === undefined) console.log(secret);
  const where = flags.out === undefined ? 'It is not shown again.' : `Written to ${flags.out}.`;
  console.error(`\nThe key "${key.name}": a client sends it as its API key. ${where}`);
  if (key.previousValidUntilMs !== null) {
    console.error(`The secret before it is good until ${date(key.previousValidUntilMs)}.`);
  }
}

function printKeys(keys: readonly Key[]): void {
  printTable(
    [
      'KEY',
      'STATE',
      'MAY ASK FOR',
      'WAKE',
      'CLOUD',
      'REQ/MIN',
      'TOKENS/MIN',
      'AT ONCE',
      'CLASS',
      'BODIES',
      'EXPIRES',
      'SECRET',
    ],
    keys.map((key) => [
      key.state === 'revoked' ? `${key.name} (${key.id})` : key.name,
      key.state,
      key.roles === null ? 'all' : key.roles.join(', ') || 'nothing',
      key.mayWake ? 'yes' : 'no',
      key.mayCloud ? 'yes' : 'no',
      limit(key.limits.requestsPerMinute),
      limit(key.limits.tokensPerMinute),
      limit(key.limits.concurrentRequests),
      classOf(key),
      key.keepBodiesDays === null ? 'not kept' : `${key.keepBodiesDays}d`,
      key.expiresAtMs === null ? 'never' : date(key.expiresAtMs),
      key.hint ?? '-',
    ]),
  );
}

function limit(value: number | null): string {
  return value === null ? '-' : String(value);
}

function classOf({ defaultClass, mostUrgentClass }: Key): string {
  const byDefault = defaultClass ?? 'as the role';
  return mostUrgentClass === null ? byDefault : `${byDefault}, at most ${mostUrgentClass}`;
}

function date(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
}
