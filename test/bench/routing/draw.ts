import type { Random } from '@ai-fabric/shared';

/** Normally distributed, mean 0, deviation 1 (Box and Muller). */
export function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Exponentially distributed. */
export function drawExponential(random: Random, mean: number): number {
  return -Math.log(1 - random()) * mean;
}
