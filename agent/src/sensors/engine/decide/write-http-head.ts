interface HttpQuestion {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly json?: unknown;
  readonly raw?: { readonly contentType: string };
  readonly headers?: Readonly<Record<string, string>>;
}

/** What would end a line, or is no character of a header. */
const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * The head of a question, its empty line included. Name and password of the URL become basic authorization, as with
 * Node's own client.
 *
 * @throws Error with the code ERR_INVALID_CHAR where a header cannot be sent
 */
export function writeHttpHead(
  { method, url, json, raw, headers = {} }: HttpQuestion,
  body: Uint8Array | string | null,
): string {
  const type = raw?.contentType ?? (json === undefined ? null : 'application/json');
  let head = `${method} ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\naccept: */*\r\n`;
  if (type !== null) head += line('content-type', type);
  if (method === 'POST') head += `content-length: ${body === null ? 0 : Buffer.byteLength(body)}\r\n`;
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  const isNamed = url.username !== '' || url.password !== '';
  if (isNamed && !names.includes('authorization')) head += line('authorization', basic(url));
  for (const [name, value] of Object.entries(headers)) head += line(name, value);
  return `${head}\r\n`;
}

function line(name: string, value: string): string {
  if (FORBIDDEN.test(name) || FORBIDDEN.test(value)) {
    throw Object.assign(new Error(`the header ${name} has a character that cannot be sent`), {
      code: 'ERR_INVALID_CHAR',
    });
  }
  return `${name}: ${value}\r\n`;
}

function basic({ username, password }: URL): string {
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(text, 'utf8').toString('base64')}`;
}
