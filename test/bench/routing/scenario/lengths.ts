import type { Random } from '@ai-fabric/shared';
import { drawNormal } from '../draw.js';
import type { ScenarioFile } from './scenario-schema.js';

export type Lengths = ScenarioFile['prompt']['lognormal'];

const SEED_OF_MEANS = 99;
const DRAWS_OF_MEANS = 20_000;

/** Whole tokens, at least `least`. */
export function drawLength({ median, sigma, most }: Lengths, least: number, random: Random): number {
  const drawn = Math.round(median * Math.exp(sigma * drawNormal(random)));
  return Math.max(Math.min(least, most), Math.min(most, drawn));
}

/** The mean of what `drawLength` draws, by drawing: a bounded lognormal has no simple one. */
export function meanLength(lengths: Lengths, least: number, seeded: (seed: number) => Random): number {
  const random = seeded(SEED_OF_MEANS);
  let sum = 0;
  for (let index = 0; index < DRAWS_OF_MEANS; index += 1) sum += drawLength(lengths, least, random);
  return sum / DRAWS_OF_MEANS;
}

export const LEAST_PROMPT = 8;
export const LEAST_ANSWER = 1;
