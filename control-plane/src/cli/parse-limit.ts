import { InvalidArgumentError } from 'commander';

/** How many items of a listing: what one page may hold. */
export function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1_000) return limit;
  throw new InvalidArgumentError('a number from 1 to 1000');
}
