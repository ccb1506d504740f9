/** Of a request's head, whom it is addressed to. */
export interface RequestAddress {
  /** As it stands in the first line. */
  readonly target: string;
  readonly httpVersion: string;
  readonly host: string | undefined;
  /** Names and values as they were sent, alternating: Node keeps the first of several hosts. */
  readonly rawHeaders: readonly string[];
}

/**
 * What is wrong with the address of a request that Node's parser takes; `null`: nothing. A whole URL as the target is
 * how a proxy is asked, and the host in it would count instead of the header that is checked. `*` is of `OPTIONS`.
 */
export function judgeAddress({ target, httpVersion, host, rawHeaders }: RequestAddress): string | null {
  if (!target.startsWith('/') && target !== '*') {
    return 'The request names a whole URL, as for a proxy, which this is not: send the path alone.';
  }
  if (host === undefined && httpVersion !== '1.0') return 'The request lacks the header "Host".';
  if (countHosts(rawHeaders) > 1) return 'The request has more than one header "Host": send one.';
  return null;
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') count++;
  }
  return count;
}
