/** Names in lower case; a name that comes more than once has a list. */
export type HttpHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface HttpHead {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body:
    | { readonly kind: 'none' | 'until_end' | 'chunks' }
    | { readonly kind: 'length'; readonly bytes: number };
  readonly keepsConnection: boolean;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/;
const FIELD = /^([!#$%&'*+\-.^_`|~\w]+):[\t ]*(.*?)[\t ]*$/;
const LENGTH = /^\d{1,15}$/;

/**
 * The head of an answer to a GET or POST, without the empty line that ends it (RFC 9112).
 *
 * @returns `null` for what is none, or does not tell its end without doubt
 */
export function parseHttpHead(text: string): HttpHead | null {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const start = STATUS_LINE.exec(statusLine);
  if (start === null) return null;
  const status = Number(start[2]);
  const headers: Record<string, string | string[] | undefined> = Object.create(null);
  const lengths = new Set<string>();
  let encoding: string | null = null;
  let connection = '';
  for (const line of lines) {
    const field = FIELD.exec(line);
    if (field === null) return null;
    const [, written = '', value = ''] = field;
    const name = written.toLowerCase();
    add(headers, name, value);
    switch (name) {
      case 'content-length':
        lengths.add(value);
        break;
      case 'transfer-encoding':
        encoding = encoding === null ? value.toLowerCase() : `${encoding}, ${value.toLowerCase()}`;
        break;
      case 'connection':
        connection += `,${value.toLowerCase()}`;
        break;
      default:
    }
  }
  const tokens = connection.split(',').map((token) => token.trim());
  const isKept = start[1] === '1' ? !tokens.includes('close') : tokens.includes('keep-alive');
  const body = readBody(status, encoding, lengths);
  if (body === null) return null;
  // Whoever gives both a length and chunks is not to be trusted with a second answer.
  const isPlain = body.kind !== 'until_end' && !(encoding !== null && lengths.size > 0);
  return { status, headers, body, keepsConnection: isKept && isPlain };
}

function add(headers: Record<string, string | string[] | undefined>, name: string, value: string): void {
  const there = headers[name];
  if (there === undefined) headers[name] = value;
  else if (typeof there === 'string') headers[name] = [there, value];
  else there.push(value);
}

function readBody(
  status: number,
  encoding: string | null,
  lengths: ReadonlySet<string>,
): HttpHead['body'] | null {
  // Nobody asked for another protocol.
  if (status === 101) return null;
  if (status < 200 || status === 204 || status === 304) return { kind: 'none' };
  if (encoding !== null) return encoding === 'chunked' ? { kind: 'chunks' } : null;
  const [length] = lengths;
  if (length === undefined) return { kind: 'until_end' };
  return lengths.size === 1 && LENGTH.test(length) ? { kind: 'length', bytes: Number(length) } : null;
}
