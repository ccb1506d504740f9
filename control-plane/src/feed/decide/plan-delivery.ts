/** Above this a subscriber gets no more until it has taken what waits. */
export const HIGH_WATER_BYTES = 1024 * 1024;
/** Below this it is brought up to date again. */
const LOW_WATER_BYTES = 256 * 1024;
/** A subscriber that has not caught up for this long is told to go. */
export const LAG_LIMIT_MS = 20_000;

export type Delivery =
  /** What all get. */
  | 'shared'
  /** Everything: it has nothing yet. */
  | 'snapshot'
  /** What it missed, in one. */
  | 'catch_up'
  /** Nothing now; what changes is gathered. */
  | 'hold'
  | 'goodbye';

export interface DeliveryFacts {
  readonly bufferedBytes: number;
  /** Monotonic; `null`: it holds all that was told so far. */
  readonly behindSinceMs: number | null;
  readonly hasSnapshot: boolean;
  /** Monotonic. */
  readonly nowMs: number;
}

/** What a subscriber gets at a tick. Its queue so never grows beyond one message above the high water. */
export function planDelivery({ bufferedBytes, behindSinceMs, hasSnapshot, nowMs }: DeliveryFacts): Delivery {
  if (!hasSnapshot) return 'snapshot';
  if (behindSinceMs === null) return bufferedBytes > HIGH_WATER_BYTES ? 'hold' : 'shared';
  if (bufferedBytes <= LOW_WATER_BYTES) return 'catch_up';
  return nowMs - behindSinceMs >= LAG_LIMIT_MS ? 'goodbye' : 'hold';
}
