const FORWARDING: ReadonlySet<string> = new Set([
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-original-forwarded-for',
  'true-client-ip',
  'cf-connecting-ip',
  'cf-ray',
  'fastly-client-ip',
]);

/**
 * Whether any header says that something in between forwarded the request: its sender is then not who the
 * connection's address says. (Tailscale's own `serve` is among them: it sends `X-Forwarded-For`.)
 *
 * @param headers names in lower case
 */
export function isForwarded(headers: Readonly<Record<string, unknown>>): boolean {
  for (const name in headers) {
    if (name.startsWith('x-forwarded') || FORWARDING.has(name)) return true;
  }
  return false;
}
