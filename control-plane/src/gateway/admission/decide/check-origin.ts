/** Of the browser's headers, what tells which page a request comes from. */
export interface PageHeaders {
  readonly host: string;
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
}

/**
 * `none`: no web page's request (or one whose browser says it is our own); `own`: of a page that we served;
 * `allowed`: of an app that the operator allows; `foreign`: of any other page.
 */
export type PageOrigin = 'none' | 'own' | 'allowed' | 'foreign';

/**
 * A browser sends `Origin` with every request that could cost something, and `Sec-Fetch-Site` with all, "simple"
 * ones with a text body included, so no preflight is needed to tell a foreign page.
 */
export function checkOrigin(headers: PageHeaders, allowedOrigins: readonly string[]): PageOrigin {
  const { origin, secFetchSite } = headers;
  if (origin === undefined) {
    return secFetchSite === 'cross-site' || secFetchSite === 'same-site' ? 'foreign' : 'none';
  }
  const asked = origin.toLowerCase();
  if (allowedOrigins.some((allowed) => allowed.toLowerCase() === asked)) return 'allowed';
  return isSameOrigin(asked, headers.host.toLowerCase()) ? 'own' : 'foreign';
}

/** The host is known to be ours by now, so a page that was loaded from it is ours too. */
function isSameOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}
