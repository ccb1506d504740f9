/** Bytes since the interface came up. */
export interface InterfaceCounters {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

const LINE = /^\s*([^\s:]+):\s*(\d+)(?:\s+\d+){7}\s+(\d+)/;
const MAX_INTERFACES = 256;

/** Linux's /proc/net/dev, by interface name. Two lines of heading, then "name: 8 received columns, 8 sent columns". */
export function parseProcNetDev(text: string): ReadonlyMap<string, InterfaceCounters> {
  const counters = new Map<string, InterfaceCounters>();
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (!match || counters.size >= MAX_INTERFACES) continue;
    counters.set(match[1] as string, { receivedBytes: Number(match[2]), sentBytes: Number(match[3]) });
  }
  return counters;
}

export interface NetworkRates {
  readonly receivedBytesPerSecond: number | null;
  readonly sentBytesPerSecond: number | null;
}

export const noNetworkRates: NetworkRates = { receivedBytesPerSecond: null, sentBytesPerSecond: null };

/**
 * Rates of the interfaces that `counts` admits, over `elapsedMs`. An interface that is new, or whose counters went
 * back (a 32-bit counter wrapped, a driver was reloaded), has no rate in this interval; when none has one it is
 * unknown, not 0 and never negative.
 */
export function networkRatesBetween(
  before: ReadonlyMap<string, InterfaceCounters>,
  after: ReadonlyMap<string, InterfaceCounters>,
  elapsedMs: number,
  counts: (name: string) => boolean,
): NetworkRates {
  let receivedBytes = 0;
  let sentBytes = 0;
  let measured = false;
  for (const [name, now] of after) {
    const then = counts(name) ? before.get(name) : undefined;
    if (!then || now.receivedBytes < then.receivedBytes || now.sentBytes < then.sentBytes) continue;
    receivedBytes += now.receivedBytes - then.receivedBytes;
    sentBytes += now.sentBytes - then.sentBytes;
    measured = true;
  }
  if (!measured || elapsedMs <= 0) return noNetworkRates;
  const perSecond = (bytes: number): number => Math.round((bytes * 1000) / elapsedMs);
  return { receivedBytesPerSecond: perSecond(receivedBytes), sentBytesPerSecond: perSecond(sentBytes) };
}
