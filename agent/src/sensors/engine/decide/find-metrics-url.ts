/**
 * Where an engine's metrics are, beside its API: "http://127.0.0.1:8000/v1" and "http://127.0.0.1:8000" both have them
 * at "/metrics". A path prefix of a proxy in front of it stays.
 *
 * @returns `null` when `url` is no URL
 */
export function findMetricsUrl(url: string): string | null {
  if (!URL.canParse(url)) return null;
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(/\/+$/, '').replace(/\/v1$/, '')}/metrics`;
}
