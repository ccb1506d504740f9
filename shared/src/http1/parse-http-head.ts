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
const NAME = /^[!#$%&'*+\-.^_`|~\w]+$/;
/** Between fields it would be a line's end to some, and not to others. */
const BARE_BREAK = /[\r\n]/;
const LINE_END = '\r\n';
const LENGTH = /^\d{1,15}$/;

/**
 * The head of an answer to a GET or POST, without the empty line that ends it (RFC 9112).
 *
 * @returns `null` for what is none, or does not tell its end without doubt
 */
export function parseHttpHead(text: string): HttpHead | null {
  let end = text.indexOf(LINE_END);
  const start = STATUS_LINE.exec(end < 0 ? text : text.slice(0, end));
  if (start === null) return null;
  const status = Number(start[2]);
  const headers: Record<string, string | string[] | undefined> = Object.create(null);
  let length: string | null = null;
  let encoding: string | null = null;
  let connection = '';
  while (end >= 0) {
    const from = end + LINE_END.length;
    end = text.indexOf(LINE_END, from);
    const line = end < 0 ? text.slice(from) : text.slice(from, end);
    const colon = line.indexOf(':');
    if (colon <= 0) return null;
    const name = line.slice(0, colon).toLowerCase();
    const value = trimBlanks(line, colon + 1);
    if (!NAME.test(name) || BARE_BREAK.test(value)) return null;
    add(headers, name, value);
    switch (name) {
      case 'content-length':
        if (length !== null && length !== value) return null;
        length = value;
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
  const isKept = start[1] === '1' ? !hasToken(connection, 'close') : hasToken(connection, 'keep-alive');
  const body = readBody(status, encoding, length);
  if (body === null) return null;
  // Whoever gives both a length and chunks is not to be trusted with a second answer.
  const isPlain = body.kind !== 'until_end' && !(encoding !== null && length !== null);
  return { status, headers, body, keepsConnection: isKept && isPlain };
}

function hasToken(list: string, token: string): boolean {
  return list !== '' && list.split(',').some((each) => each.trim() === token);
}

/** The rest of a line without the blanks and tabs at both ends. */
function trimBlanks(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isBlank(line.charCodeAt(start))) start++;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function add(headers: Record<string, string | string[] | undefined>, name: string, value: string): void {
  const there = headers[name];
  if (there === undefined) headers[name] = value;
  else if (typeof there === 'string') headers[name] = [there, value];
  else there.push(value);
}

function readBody(status: number, encoding: string | null, length: string | null): HttpHead['body'] | null {
  // Nobody asked for another protocol.
  if (status === 101) return null;
  if (status < 200 || status === 204 || status === 304) return { kind: 'none' };
  if (encoding !== null) return encoding === 'chunked' ? { kind: 'chunks' } : null;
  if (length === null) return { kind: 'until_end' };
  return LENGTH.test(length) ? { kind: 'length', bytes: Number(length) } : null;
}
