/** What of this machine may stand in an address that others are given. */
export interface OwnPlaces {
  readonly hostName: string;
  /** Of its interfaces, loopback left out. */
  readonly addresses: readonly string[];
}

/** Of no use to any other machine. */
const LOOPBACK = /^https?:\/\/(?:127\.[\d.]+|localhost|\[::1\])(?::|$)/;
const WILDCARD = /^(https?):\/\/(?:0\.0\.0\.0|\[::\]):(\d+)$/;

/**
 * Addresses as others can use them: a listener on every address is reached by this machine's name, or by any of its
 * addresses. Best first, none twice.
 */
export function advertiseUrls(urls: readonly string[], { hostName, addresses }: OwnPlaces): string[] {
  const places = [
    hostName.toLowerCase(),
    ...addresses.map((each) => (each.includes(':') ? `[${each}]` : each)),
  ];
  const advertised = urls.flatMap((url) => {
    const [, scheme, port] = WILDCARD.exec(url) ?? [];
    return scheme === undefined ? [url] : places.map((place) => `${scheme}://${place}:${port}`);
  });
  const isOwn = (url: string): boolean => LOOPBACK.test(url);
  return [...new Set([...advertised.filter((url) => !isOwn(url)), ...advertised.filter(isOwn)])];
}
