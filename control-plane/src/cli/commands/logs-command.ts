import { createInterface } from 'node:readline';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { formatLogLine, readLogLine } from '../decide/read-log-lines.js';
import { parseMoment } from '../parse-moment.js';
import { printLines } from '../print-lines.js';
import { queryOf } from '../query-of.js';

interface LogFlags extends ConnectionFlags {
  follow?: boolean;
  since?: string;
  tail?: string;
}

export function logsCommand(): Command {
  const command = new Command('logs')
    .description('the log of a deployment’s container, read by the agent on its host')
    .argument('<deployment>')
    .option('-f, --follow', 'go on with what it writes, until you end it')
    .addOption(
      new Option('--since <time>', 'an age as 90s, 10m, 2h; ISO 8601; or milliseconds since 1970').argParser(
        parseMoment,
      ),
    )
    .addOption(new Option('--tail <lines>', 'the last so many lines of what is there').argParser(toCount))
    .addHelpText(
      'after',
      `
With --json each line is an object: atMs, stream ("stdout" or "stderr"), text. It ends with the container, with exit
code 0; one that is recreated has a new log.

Examples:
  ai-fabric logs qwen-armitage --tail 100
  ai-fabric logs qwen-armitage -f --since 10m
  ai-fabric logs qwen-armitage --json | jq -r 'select(.stream == "stderr") | .text'`,
    );
  return withConnection(command).action(printLogs);
}

async function printLogs(name: string, flags: LogFlags): Promise<void> {
  const query = queryOf({
    follow: flags.follow === true ? 'true' : undefined,
    since: flags.since,
    tail: flags.tail,
  });
  const path = `/deployments/${encodeURIComponent(name)}/logs?${query}`;
  await connect(flags).stream('GET', path, undefined, (body) => printLines(lines(body, flags.json === true)));
}

async function* lines(body: NodeJS.ReadableStream, json: boolean): AsyncIterable<string> {
  for await (const text of createInterface({ input: body, crlfDelay: Number.POSITIVE_INFINITY })) {
    const line = readLogLine(text);
    if (line !== null) yield json ? JSON.stringify(line) : formatLogLine(line);
  }
}

function toCount(text: string): string {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('expected a number of lines.');
  return text;
}
