/**
 * What is wrong with how a request tells the length of its body, of what Node's parser takes; `null`: nothing. It
 * leaves encodings before `chunked` to its reader, who has none, and takes chunks of HTTP/1.0, which a proxy before
 * us may take for the next request.
 *
 * @param transferEncoding as the header says it
 */
export function judgeFraming(transferEncoding: string | undefined, httpVersion: string): string | null {
  if (transferEncoding === undefined) return null;
  if (httpVersion === '1.0') return 'HTTP/1.0 has no "Transfer-Encoding": send "Content-Length".';
  if (transferEncoding.trim().toLowerCase() === 'chunked') return null;
  return `The transfer-encoding "${transferEncoding}" is not known here: send "chunked" or a "Content-Length".`;
}
