import { describe, expect, it } from 'vitest';
import type { Seen } from '../health.js';
import { judgeSeen } from './judge-seen.js';

const all: Seen = { cards: 2, engine: true };
const none: Seen = { cards: 0, engine: false };
const unknown: Seen = { cards: null, engine: null };

describe('what a newer version finds', () => {
  it.each<[string, Seen | undefined, Seen | undefined, string | null]>([
    ['as before', all, all, null],
    ['more than before', { cards: 1, engine: false }, all, null],
    ['nothing, as before', none, none, null],
    ['nothing yet, as before', none, unknown, null],
    ['a card less', all, { cards: 1, engine: true }, 'sees 1 of 2 cards'],
    ['no card', { cards: 1, engine: null }, none, 'sees 0 of 1 card'],
    ['cards that were not read yet', all, { ...all, cards: null }, 'has not read 2 cards'],
    ['no engine', all, { ...all, engine: false }, 'does not reach the container engine'],
    ['an engine not looked for yet', all, { ...all, engine: null }, 'does not reach the container engine'],
    ['what nobody had looked for before', unknown, none, null],
    ['what the one before did not tell', undefined, none, null],
    ['what it does not tell', all, undefined, null],
  ])('%s', (_, before, now, lack) => {
    expect(judgeSeen(before, now)).toBe(lack);
  });
});
