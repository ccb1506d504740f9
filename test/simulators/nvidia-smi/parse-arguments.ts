/** What nvidia-smi was asked for. */
export type SmiRequest =
  | {
      readonly kind: 'query';
      readonly fields: readonly string[];
      readonly header: boolean;
      readonly units: boolean;
      /** `null`: once. */
      readonly periodMs: number | null;
      /** Indexes, UUIDs or bus ids of the cards asked for; empty is all. */
      readonly ids: readonly string[];
    }
  | { readonly kind: 'xml' }
  | { readonly kind: 'list' }
  | { readonly kind: 'help' }
  | { readonly kind: 'invalid'; readonly message: string };

const VALUED = new Set(['--query-gpu', '--format', '-l', '--loop', '-lms', '--loop-ms', '-i', '--id']);

/** Reads the arguments as the tool does: a value follows its option after `=` or as the next argument. */
export function parseArguments(argv: readonly string[]): SmiRequest {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  for (let index = 0; index < argv.length; index += 1) {
    const [name = '', ...rest] = (argv[index] ?? '').split('=');
    if (!VALUED.has(name)) flags.add(argv[index] ?? '');
    else if (rest.length > 0) values.set(name, rest.join('='));
    else values.set(name, argv[++index] ?? '');
  }
  if (flags.has('--help-query-gpu')) return { kind: 'help' };
  if (flags.has('-L') || flags.has('--list-gpus')) return { kind: 'list' };
  const query = values.get('--query-gpu');
  if (query !== undefined) return parseQuery(query, values);
  const wantsXml = flags.has('-x') || flags.has('--xml-format');
  if (wantsXml && (flags.has('-q') || flags.has('--query'))) return { kind: 'xml' };
  return { kind: 'invalid', message: `Invalid combination of input arguments: ${argv.join(' ')}` };
}

function parseQuery(query: string, values: ReadonlyMap<string, string>): SmiRequest {
  const format = (values.get('--format') ?? '').split(',').map((part) => part.trim());
  if (!format.includes('csv')) {
    return { kind: 'invalid', message: '"--format=" switch with csv is missing.' };
  }
  const periodMs = loopPeriodMs(values);
  if (periodMs !== null && !(periodMs > 0)) {
    return { kind: 'invalid', message: 'Loop interval must be a positive number.' };
  }
  const ids = values.get('-i') ?? values.get('--id');
  return {
    kind: 'query',
    fields: query.split(',').map((field) => field.trim()),
    header: !format.includes('noheader'),
    units: !format.includes('nounits'),
    periodMs,
    ids: ids ? ids.split(',') : [],
  };
}

/** `null` when it is to answer once; not a positive number when the interval makes no sense. */
function loopPeriodMs(values: ReadonlyMap<string, string>): number | null {
  const milliseconds = values.get('-lms') ?? values.get('--loop-ms');
  if (milliseconds !== undefined) return Number(milliseconds);
  const seconds = values.get('-l') ?? values.get('--loop');
  return seconds === undefined ? null : Number(seconds) * 1000;
}
