import type { DeclaredEnergy, DeclaredPrice, DeclaredTariff } from '../../declared/declared-state.js';

/** What a host did in a stretch of time. */
export interface PowerUse {
  readonly awakeSeconds: number;
  readonly asleepSeconds: number;
  /** Of its cards, as they told: watt-seconds. */
  readonly cardJoules: number;
}

export const NO_USE: PowerUse = { awakeSeconds: 0, asleepSeconds: 0, cardJoules: 0 };

/** Between two readings that are further apart nothing is known of the cards, and nothing is added for them. */
export const LONGEST_GAP_MS = 30_000;

export interface PowerReading {
  readonly atMs: number;
  /** Of all its cards; `null`: none of them tells. */
  readonly cardWatts: number | null;
}

/**
 * What the cards drew from one reading to the next, in watt-seconds: each reading holds until the next one.
 *
 * @returns 0 where they lie too far apart, or come in no order
 */
export function joulesBetween(before: PowerReading, after: PowerReading): number {
  const gapMs = after.atMs - before.atMs;
  if (before.cardWatts === null || gapMs <= 0 || gapMs > LONGEST_GAP_MS) return 0;
  return (before.cardWatts * gapMs) / 1000;
}

export interface Reckoning {
  /** `null`: what the machine itself draws is not declared. */
  readonly kilowattHours: number | null;
  /** Of the cards alone, which is always known where they tell. */
  readonly cardKilowattHours: number;
  /** In the currency of the tariff; `null`: no tariff, or the energy is not known. */
  readonly cost: number | null;
}

const JOULES_PER_KILOWATT_HOUR = 3_600_000;

/** Absent is `null`, never 0: a host of which nothing is declared did not run for free. */
export function reckonEnergy(
  { awakeSeconds, asleepSeconds, cardJoules }: PowerUse,
  { baseWatts, asleepWatts }: DeclaredEnergy,
  tariff: DeclaredTariff | null,
): Reckoning {
  const cardKilowattHours = cardJoules / JOULES_PER_KILOWATT_HOUR;
  const baseJoules = partJoules(awakeSeconds, baseWatts);
  const asleepJoules = partJoules(asleepSeconds, asleepWatts);
  if (baseJoules === null || asleepJoules === null) {
    return { kilowattHours: null, cardKilowattHours, cost: null };
  }
  const kilowattHours = (cardJoules + baseJoules + asleepJoules) / JOULES_PER_KILOWATT_HOUR;
  const cost = tariff === null ? null : kilowattHours * tariff.pricePerKilowattHour;
  return { kilowattHours, cardKilowattHours, cost };
}

/** What nobody declared matters only where there was any of it. */
function partJoules(seconds: number, watts: number | null): number | null {
  if (seconds === 0) return 0;
  return watts === null ? null : seconds * watts;
}

/** What a provider would have taken; `null`: its price is not declared. */
export function reckonTokens(
  { promptTokens, completionTokens }: { readonly promptTokens: number; readonly completionTokens: number },
  price: DeclaredPrice | null,
): number | null {
  if (price === null) return null;
  const { inputPerMillionTokens, outputPerMillionTokens } = price;
  return (promptTokens * inputPerMillionTokens + completionTokens * outputPerMillionTokens) / 1e6;
}
