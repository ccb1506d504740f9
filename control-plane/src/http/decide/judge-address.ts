/** Of a request's head, whom it is addressed to. */
export interface RequestAddress {
  /** As it stands in the first line. */
  readonly target: string;
  readonly httpVersion: string;
  readonly host: string | undefined;
}

/**
 * What is wrong with the address of a request that Node's parser takes; `null`: nothing. A whole URL as the target is
 * how a proxy is asked, and the host in it would count instead of the header that is checked. `*` is of `OPTIONS`.
 */
export function judgeAddress({ target, httpVersion, host }: RequestAddress): string | null {
  if (!target.startsWith('/') && target !== '*') {
    return 'The request names a whole URL, as for a proxy, which this is not: send the path alone.';
  }
  if (host === undefined && httpVersion !== '1.0') return 'The request lacks the header "Host".';
  return null;
}
