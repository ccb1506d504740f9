import type { SimulatedCard } from './scenario.js';

/** What a card measures at one tick. */
export interface CardReading {
  readonly gpuPercent: number;
  readonly memoryPercent: number;
  readonly usedMib: number;
  readonly reservedMib: number;
  readonly celsius: number;
  readonly memoryCelsius: number;
  readonly watts: number;
  readonly averageWatts: number;
  readonly smMhz: number;
  readonly memoryMhz: number;
  readonly fanPercent: number;
  readonly idle: boolean;
  /** Held by its power limit. */
  readonly capped: boolean;
}

/** Ticks from one support point of the noise to the next: readings drift, they do not jump. */
const NOISE_SPAN_TICKS = 8;

/** Readings that move about the card's load within bounds. The same seed, card and tick give the same reading. */
export function cardReading(card: SimulatedCard, seed: number, cardIndex: number, tick: number): CardReading {
  const noise = (channel: number) => smoothNoise(seed * 1009 + cardIndex * 101 + channel, tick);
  const busy = clamp(card.load + (noise(1) - 0.5) * 0.2 * Math.sign(card.load), 0, 1);
  const idle = busy < 0.02;
  const reservedMib = Math.round(card.vramMib * 0.03);
  const watts = card.idleWatts + (card.powerLimitWatts - card.idleWatts) * busy * (0.9 + 0.1 * noise(2));
  return {
    gpuPercent: Math.round(busy * 100),
    memoryPercent: Math.round(busy * 60),
    usedMib: Math.round(clamp(card.vramUsedMib + (noise(3) - 0.5) * 64, 0, card.vramMib - reservedMib)),
    reservedMib,
    celsius: Math.round(36 + 42 * busy + 3 * noise(4)),
    memoryCelsius: Math.round(42 + 46 * busy + 3 * noise(5)),
    watts: clamp(watts, 0, card.powerLimitWatts),
    averageWatts: clamp(watts * (0.97 + 0.06 * noise(6)), 0, card.powerLimitWatts),
    smMhz: idle ? 300 : Math.round(card.maxSmMhz * (0.85 + 0.13 * noise(7))),
    memoryMhz: idle ? 405 : card.maxMemoryMhz,
    fanPercent: Math.round(30 + 45 * busy),
    idle,
    capped: busy > 0.95,
  };
}

function smoothNoise(channel: number, tick: number): number {
  const from = Math.floor(tick / NOISE_SPAN_TICKS);
  const share = tick / NOISE_SPAN_TICKS - from;
  const eased = share * share * (3 - 2 * share);
  return point(channel, from) * (1 - eased) + point(channel, from + 1) * eased;
}

/** One number in [0, 1) per channel and place. */
function point(channel: number, place: number): number {
  let mixed = Math.imul(channel ^ 0x9e3779b9, 2654435761) ^ Math.imul(place + 1, 1597334677);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 2246822507);
  return ((mixed ^ (mixed >>> 13)) >>> 0) / 4294967296;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
