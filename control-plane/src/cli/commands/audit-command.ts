import { Command, Option } from 'commander';
import { z } from 'zod';
import { auditEntrySchema, listOf } from '../../api/schemas.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { note } from '../note-unknown-names.js';
import { age, printJson, printTable } from '../output.js';
import { parseLimit } from '../parse-limit.js';

interface AuditFlags extends ConnectionFlags {
  operation?: string;
  actor?: string;
  limit: number;
}

export function auditCommand(): Command {
  const audit = new Command('audit')
    .description('who changed what through the control API, newest first')
    .option('--operation <id>', 'only this operation, as "drainHost"; GET /api/v1/openapi.json names all')
    .option('--actor <name>', 'only by this one, as "admin token"')
    .addOption(new Option('--limit <count>', 'how many: 1 to 1000').argParser(parseLimit).default(50));
  withConnection(audit).action(async (flags: AuditFlags) => {
    const query = new URLSearchParams({ limit: String(flags.limit) });
    if (flags.operation !== undefined) query.set('operationId', flags.operation);
    if (flags.actor !== undefined) query.set('actor', flags.actor);
    const client = connect(flags);
    const { items } = await client.get(`/audit?${query}`, listOf(auditEntrySchema));
    if (flags.json) printJson(items);
    else printEntries(items);
    if (items.length > 0 || flags.json || flags.operation === undefined) return;
    const { paths } = await client.get('/openapi.json', documentSchema);
    const operations = Object.values(paths).flatMap((path) => Object.values(path));
    note(
      'operation',
      flags.operation,
      operations.map(({ operationId }) => operationId),
    );
  });
  return audit.addHelpText(
    'after',
    `
Examples:
  ai-fabric audit
  ai-fabric audit --operation declareRole --limit 10
  ai-fabric audit --json | jq '.[] | select(.status >= 400)'`,
  );
}

const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ operationId: z.string() }))),
});

function printEntries(entries: readonly z.infer<typeof auditEntrySchema>[]): void {
  const nowMs = Date.now();
  printTable(
    ['WHEN', 'WHO', 'WHAT', 'OF', 'OUTCOME', 'REQUEST'],
    entries.map((each) => [
      `${age(each.atMs, nowMs)} ago`,
      each.actor,
      each.operationId,
      Object.values(each.params).join(' ') || '-',
      each.status === null ? 'not known' : [each.status, each.code].filter(Boolean).join(' '),
      each.requestId,
    ]),
  );
}
