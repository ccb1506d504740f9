const FEED_KINDS = ['hosts', 'replicas', 'samples'] as const;
type FeedKind = (typeof FEED_KINDS)[number];

/** What a subscriber wants to be told. */
export interface FeedFilter {
  /** The same for all filters that let the same through. */
  readonly key: string;
  /** `null`: all. */
  readonly hosts: ReadonlySet<string> | null;
  readonly kinds: ReadonlySet<FeedKind>;
}

export function feedFilter(hosts: readonly string[] | null, kinds: readonly FeedKind[]): FeedFilter {
  // A sample says nothing without the host that it is of.
  const told = new Set(kinds.includes('samples') ? [...kinds, 'hosts' as const] : kinds);
  const names = hosts === null ? null : [...new Set(hosts)].sort();
  const key = `${FEED_KINDS.filter((kind) => told.has(kind)).join(',')} ${names === null ? '*' : names.join(',')}`;
  return { key, hosts: names === null ? null : new Set(names), kinds: told };
}

export const EVERYTHING: FeedFilter = feedFilter(null, FEED_KINDS);

export function wantsHost({ hosts }: FeedFilter, name: string): boolean {
  return hosts === null || hosts.has(name);
}

export function isFeedKind(text: string): text is FeedKind {
  return (FEED_KINDS as readonly string[]).includes(text);
}

export const feedKindsText = FEED_KINDS.join(', ');
