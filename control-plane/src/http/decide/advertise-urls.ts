/** What of this machine may stand in an address that others are given. */
export interface OwnPlaces {
  readonly hostName: string;
  /** Of its interfaces, loopback left out. */
  readonly addresses: readonly string[];
}

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
  return [...new Set(advertised)];
}
