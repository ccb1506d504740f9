import { countOf } from '@ai-fabric/shared';
import { Command } from 'commander';
import type { z } from 'zod';
import {
  explainedRequestSchema,
  type loggedRequestSchema,
  requestBodySchema,
  requestPageSchema,
} from '../../api/request-schemas.js';
import type { ApiClient } from '../api-client.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { noteUnknownNames } from '../note-unknown-names.js';
import { printJson, printTable } from '../output.js';
import { queryOf } from '../query-of.js';
import { sitOutAbsence } from '../sit-out-absence.js';

type LoggedRequest = z.infer<typeof loggedRequestSchema>;
type ExplainedRequest = z.infer<typeof explainedRequestSchema>;

interface ListFlags extends ConnectionFlags {
  readonly role?: string;
  readonly key?: string;
  readonly host?: string;
  readonly failed?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly limit: string;
  readonly follow?: boolean;
}

const FOLLOW_MS = 1_000;
const PAGE_LIMIT = 1_000;
const MAX_LIMIT = 10_000;

export function requestsCommand(): Command {
  const requests = new Command('requests').description('requests to the gateway: list, follow, show');
  withConnection(
    requests
      .command('list', { isDefault: true })
      .description('requests that are over, the newest last')
      .option('--role <role>', 'only those that asked for this role')
      .option('--key <key>', 'only those of this key')
      .option('--host <host>', 'only those that went to this host or provider')
      .option('--failed', 'only those that did not end well')
      .option('--from <time>', 'ended at or after: ISO 8601 with its zone, or milliseconds since 1970')
      .option('--to <time>', 'ended before')
      .option('--limit <number>', `so many at the most, up to ${MAX_LIMIT}`, '20')
      .option('--follow', 'go on with those that come (one JSON object a line with --json); Ctrl-C ends it'),
  ).action(list);
  withConnection(
    requests
      .command('show <id>')
      .description('one by its x-request-id: why here, and why not there')
      .option('--body', 'what it and its answer said, where its key keeps that'),
  ).action(async (id: string, flags: ConnectionFlags & { readonly body?: boolean }) => {
    const path = `/requests/${encodeURIComponent(id)}`;
    if (flags.body) {
      const body = await connect(flags).get(`${path}/body`, requestBodySchema);
      if (flags.json) printJson(body);
      else printBody(body);
      return;
    }
    const request = await connect(flags).get(path, explainedRequestSchema);
    if (flags.json) printJson(request);
    else printExplained(request);
  });
  return requests.addHelpText(
    'after',
    `
Examples:
  ai-fabric requests --failed
  ai-fabric requests --follow --role chat-fast
  ai-fabric requests --from 2026-03-01T00:00:00Z --json
  ai-fabric requests show req-0k3v9a2b-1f
  ai-fabric requests show req-0k3v9a2b-1f --body`,
  );
}

async function list(flags: ListFlags): Promise<void> {
  const limit = Number(flags.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new CliError(
      exitCodes.usage,
      `--limit: expected a number from 1 to ${MAX_LIMIT}, found ${flags.limit}`,
    );
  }
  const client = connect(flags);
  const { items, newestSequence } = await readNewest(client, flags, limit);
  if (!flags.follow) {
    if (flags.json) printJson(items);
    else printTable(HEADS, items.map(cells));
    if (items.length === 0 && !flags.json) await noteUnknownNames(client, flags);
    return;
  }
  for (const item of items) printLine(item, flags.json === true);
  await follow(client, flags, newestSequence);
}

async function readNewest(client: ApiClient, flags: ListFlags, limit: number) {
  const found: LoggedRequest[] = [];
  let newest: number | null = null;
  let cursor: string | null = null;
  do {
    const query = filterOf(flags);
    query.set('limit', String(Math.min(PAGE_LIMIT, limit - found.length)));
    if (cursor !== null) query.set('cursor', cursor);
    const page: z.infer<typeof requestPageSchema> = await client.get(`/requests?${query}`, requestPageSchema);
    found.push(...page.items);
    newest ??= page.newestSequence;
    cursor = page.nextCursor;
  } while (cursor !== null && found.length < limit);
  return { items: found.reverse(), newestSequence: newest };
}

async function follow(client: ApiClient, flags: ListFlags, fromSequence: number): Promise<never> {
  for (let sequence = fromSequence; ; ) {
    const query = filterOf(flags);
    query.set('limit', String(PAGE_LIMIT));
    query.set('afterSequence', String(sequence));
    const page = await sitOutAbsence(
      () => client.get(`/requests?${query}`, requestPageSchema),
      (line) => process.stderr.write(`${line}\n`),
      pause,
    );
    for (const item of page.items) printLine(item, flags.json === true);
    sequence = page.newestSequence;
    if (page.items.length < PAGE_LIMIT) await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
}

function filterOf({ role, key, host, failed, from, to }: ListFlags): URLSearchParams {
  return queryOf({ role, key, host, from, to, failed: failed ? 'true' : undefined });
}

const HEADS = [
  'ENDED',
  'REQUEST',
  'KEY',
  'ROLE',
  'TARGET',
  'OUTCOME',
  'STATUS',
  'REASON',
  'TOKENS',
  'TTFT',
  'TOTAL',
];

function cells(request: LoggedRequest): string[] {
  const { promptTokens, completionTokens } = request;
  return [
    new Date(request.endedAtMs).toISOString(),
    request.requestId,
    request.key || '-',
    request.role || '-',
    request.target || '-',
    request.outcome,
    request.status === null ? '-' : String(request.status),
    request.reason || '-',
    promptTokens === null && completionTokens === null
      ? '-'
      : `${promptTokens ?? '?'}+${completionTokens ?? 0}`,
    ms(request.ttftMs),
    ms(request.totalMs),
  ];
}

function printLine(request: LoggedRequest, json: boolean): void {
  console.log(json ? JSON.stringify(request) : cells(request).join('  '));
}

function printExplained(request: ExplainedRequest): void {
  printTable(HEADS, [cells(request)]);
  const { whyHere, whyNotThere } = request.explanation;
  console.log(`\nwhy here: ${whyHere}`);
  for (const { target, words } of whyNotThere) console.log(`why not ${target}: ${words}`);
}

function printBody({ request, answer }: z.infer<typeof requestBodySchema>): void {
  for (const [heading, said] of [['request', request] as const, ['answer', answer] as const]) {
    const size = countOf(said.sizeBytes, 'byte');
    const kept = said.cut ? `its beginning, of ${size}` : size;
    console.log(`--- ${heading}: ${kept}\n${said.text}\n`);
  }
}

function ms(value: number | null): string {
  return value === null ? '-' : `${value} ms`;
}
