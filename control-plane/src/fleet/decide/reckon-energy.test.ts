import { describe, expect, it } from 'vitest';
import { joulesBetween, LONGEST_GAP_MS, NO_USE, reckonEnergy, reckonTokens } from './reckon-energy.js';

const tariff = { pricePerKilowattHour: 0.3, currency: 'EUR' };
const known = { baseWatts: 60, asleepWatts: 2 };
const unknown = { baseWatts: null, asleepWatts: null };
const hour = { awakeSeconds: 3_600, asleepSeconds: 0, cardJoules: 3_600_000 * 0.2 };

describe('between two readings', () => {
  it.each<[number | null, number, number]>([
    [200, 2_000, 400],
    [200, LONGEST_GAP_MS, 6_000],
    [200, LONGEST_GAP_MS + 1, 0],
    [200, 0, 0],
    [200, -5, 0],
    [null, 2_000, 0],
    [0, 2_000, 0],
  ])('a card that draws %s W over %i ms takes %i J', (cardWatts, gapMs, joules) => {
    expect(joulesBetween({ atMs: 1_000, cardWatts }, { atMs: 1_000 + gapMs, cardWatts: 5 })).toBe(joules);
  });
});

describe('what a host took', () => {
  it('is its cards and what the machine itself draws', () => {
    const { kilowattHours, cost } = reckonEnergy(hour, known, tariff);
    expect(kilowattHours).toBeCloseTo(0.26, 9);
    expect(cost).toBeCloseTo(0.078, 9);
  });

  it('counts its sleep', () => {
    const { kilowattHours } = reckonEnergy({ ...NO_USE, asleepSeconds: 36_000 }, known, tariff);
    expect(kilowattHours).toBeCloseTo(0.02, 9);
  });

  it('is not known where what the machine draws is not declared, and is then not free', () => {
    expect(reckonEnergy(hour, unknown, tariff)).toEqual({
      kilowattHours: null,
      cardKilowattHours: 0.2,
      cost: null,
    });
    expect(
      reckonEnergy({ ...hour, asleepSeconds: 1 }, { ...known, asleepWatts: null }, tariff).cost,
    ).toBeNull();
  });

  it('needs nothing declared of a state that it was never in', () => {
    expect(reckonEnergy(hour, { ...known, asleepWatts: null }, tariff).cost).not.toBeNull();
    expect(reckonEnergy(NO_USE, unknown, tariff)).toMatchObject({ kilowattHours: 0, cost: 0 });
  });

  it('has no price without a tariff', () => {
    expect(reckonEnergy(hour, known, null)).toMatchObject({ cost: null });
  });
});

describe('what the cloud would have taken', () => {
  it('is its price for each million tokens', () => {
    const price = { inputPerMillionTokens: 2.5, outputPerMillionTokens: 10 };
    expect(reckonTokens({ promptTokens: 400_000, completionTokens: 100_000 }, price)).toBe(2);
    expect(reckonTokens({ promptTokens: 0, completionTokens: 0 }, price)).toBe(0);
  });

  it('is not known where no price is declared', () => {
    expect(reckonTokens({ promptTokens: 1, completionTokens: 1 }, null)).toBeNull();
  });
});
