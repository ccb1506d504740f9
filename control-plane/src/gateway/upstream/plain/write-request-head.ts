/** What would end a line, or is no character of a header. */
const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff]/;
const PATH = /^\/[\x21-\x7e]*$/;

/**
 * The head of a POST, its empty line included.
 *
 * @param headers names and values, alternating
 * @throws Error with the code ERR_INVALID_CHAR where it would not be the one request that was meant
 */
export function writeRequestHead(
  authority: string,
  path: string,
  headers: readonly string[],
  bodyBytes: number,
): string {
  if (!PATH.test(path)) throw invalid('the path');
  let head = `POST ${path} HTTP/1.1\r\nhost: ${authority}\r\nconnection: keep-alive\r\n`;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const line = `${headers[at]}: ${headers[at + 1]}`;
    if (FORBIDDEN.test(line)) throw invalid(`the header ${headers[at]}`);
    head += `${line}\r\n`;
  }
  return `${head}content-length: ${bodyBytes}\r\n\r\n`;
}

function invalid(what: string): Error {
  return Object.assign(new Error(`${what} has a character that cannot be sent`), {
    code: 'ERR_INVALID_CHAR',
  });
}
