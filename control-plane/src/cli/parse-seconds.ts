import { InvalidArgumentError } from 'commander';

const secondsPer: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const MAX_SECONDS = 7 * 86_400;

/** Reads a time as 90s, 15m, 2h or 1d, up to 7d. */
export function parseSeconds(leastSeconds: number): (text: string) => number {
  return (text) => {
    const match = /^(\d{1,7})([smhd])$/.exec(text);
    const seconds = Number(match?.[1]) * (secondsPer[match?.[2] ?? ''] ?? Number.NaN);
    if (Number.isInteger(seconds) && seconds >= leastSeconds && seconds <= MAX_SECONDS) return seconds;
    throw new InvalidArgumentError(`a time from ${leastSeconds}s to 7d, as 90s, 15m, 2h or 1d`);
  };
}
