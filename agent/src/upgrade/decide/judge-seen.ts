import type { Seen } from '../health.js';

/**
 * What a newer version does not find of what the one before it found. What only one of them tells of is not judged.
 *
 * @returns for behind the version's name: "sees 0 of 2 cards"; `null`: nothing is missing
 */
export function judgeSeen(before: Seen | undefined, now: Seen | undefined): string | null {
  if (before === undefined || now === undefined) return null;
  if (before.cards !== null && (now.cards ?? 0) < before.cards) {
    const seen = now.cards === null ? 'has not read' : `sees ${now.cards} of`;
    return `${seen} ${before.cards} ${before.cards === 1 ? 'card' : 'cards'}`;
  }
  return before.engine === true && now.engine !== true ? 'does not reach the container engine' : null;
}
