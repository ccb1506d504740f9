export interface UrlRule {
  /** A good one, for the message. */
  readonly example: string;
  /** A provider's base address ends in `/v1`; an engine's root does not. */
  readonly mayEndInVersion: boolean;
}

const SCHEME = /^https?:\/\//i;
const VERSION_PATH = /\/v1\/?$/;

/**
 * What is expected of an address that does not fit, or `null` when it does. Never repeats the address: one with a
 * user name or a query often holds a secret.
 */
export function describeUrlProblem(text: string, rule: UrlRule): string | null {
  if (!SCHEME.test(text) || !URL.canParse(text)) return `an address such as ${rule.example}`;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    return 'an address without a user name or password; keys are given by reference, never in an address';
  }
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(text)) {
    return `an address without "?" or "#", such as ${rule.example}`;
  }
  if (!rule.mayEndInVersion && VERSION_PATH.test(url.pathname)) {
    return `the address of the engine without /v1, such as ${rule.example}`;
  }
  return null;
}
