import { Command, Option } from 'commander';
import { usageSchema } from '../../api/request-schemas.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { printJson, printTable } from '../output.js';
import { queryOf } from '../query-of.js';

interface UsageFlags extends ConnectionFlags {
  readonly by: string;
  readonly per: string;
  readonly from?: string;
  readonly to?: string;
}

export function usageCommand(): Command {
  const usage = new Command('usage')
    .description('requests, tokens and times by hour or day')
    .addOption(
      new Option('--by <what>', 'what is added up')
        .choices(['role', 'target', 'host', 'key'])
        .default('role'),
    )
    .addOption(new Option('--per <bucket>', 'of UTC').choices(['hour', 'day']).default('day'))
    .option(
      '--from <time>',
      'ISO 8601 with its zone, or milliseconds since 1970 (default: 24 hours or 30 days ago)',
    )
    .option('--to <time>', 'before (default: now)');
  withConnection(usage).action(async ({ by, per, from, to, ...flags }: UsageFlags) => {
    const items = await connect(flags).list(`/usage?${queryOf({ by, per, from, to })}`, usageSchema);
    if (flags.json) {
      printJson(items);
      return;
    }
    printTable(
      [
        per === 'hour' ? 'HOUR' : 'DAY',
        by.toUpperCase(),
        'REQUESTS',
        'FAILED',
        'PROMPT',
        'COMPLETION',
        'CACHED',
        'TTFT',
        'TOTAL',
      ],
      items.map((item) => [
        new Date(item.bucketStartMs).toISOString().slice(0, per === 'hour' ? 13 : 10),
        item.name || '-',
        String(item.requests),
        String(item.clientErrors + item.refused + item.failed + item.interrupted),
        ...[item.promptTokens, item.completionTokens, item.cachedTokens].map(String),
        ms(item.meanTtftMs),
        ms(item.meanTotalMs),
      ]),
    );
  });
  return usage.addHelpText(
    'after',
    `
Examples:
  ai-fabric usage
  ai-fabric usage --by key --per hour --from 2026-03-01T00:00:00Z
  ai-fabric usage --by target --json`,
  );
}

/** A mean. */
function ms(value: number | null): string {
  return value === null ? '-' : `${Math.round(value)} ms`;
}
