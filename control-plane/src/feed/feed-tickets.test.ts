import { randomBytes } from 'node:crypto';
import { ManualClock } from '@ai-fabric/shared/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { FeedTickets, TICKET_LIFE_MS } from './feed-tickets.js';

let clock: ManualClock;
let tickets: FeedTickets;

beforeEach(() => {
  clock = new ManualClock();
  tickets = new FeedTickets(clock, randomBytes);
});

describe('a feed ticket', () => {
  test('is good once', () => {
    const ticket = tickets.create(null);
    expect([tickets.take(ticket, null), tickets.take(ticket, null)]).toEqual([true, false]);
  });

  test('is good for 30 seconds', () => {
    const [one, other] = [tickets.create(null), tickets.create(null)];
    clock.advance(TICKET_LIFE_MS - 1);
    expect(tickets.take(one, null)).toBe(true);
    clock.advance(1);
    expect(tickets.take(other, null)).toBe(false);
  });

  test('that a page asked for is of no use to another, nor afterwards to that page', () => {
    const ticket = tickets.create('https://motoko:8443');
    expect(tickets.take(ticket, 'https://evil.example')).toBe(false);
    expect(tickets.take(ticket, 'https://motoko:8443')).toBe(false);
    expect(tickets.take(tickets.create('https://motoko:8443'), 'https://motoko:8443')).toBe(true);
    expect(tickets.take(tickets.create('https://motoko:8443'), null)).toBe(false);
  });

  test('makes way for others when there are a thousand', () => {
    const first = tickets.create(null);
    const rest = Array.from({ length: 1_000 }, () => tickets.create(null));
    expect(tickets.take(first, null)).toBe(false);
    expect(rest.every((ticket) => tickets.take(ticket, null))).toBe(true);
  });

  test('that nobody gave is none', () => {
    for (const wrong of ['', 'aift_', 'x'.repeat(10_000)]) expect(tickets.take(wrong, null)).toBe(false);
  });
});
