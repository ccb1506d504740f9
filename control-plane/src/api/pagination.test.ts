import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  byName,
  decodeCursor,
  encodeCursor,
  newestFirst,
  type PageQuery,
  pageOfItems,
} from './pagination.js';
import { ApiError } from './problem.js';

const query = { listing: 'listHosts', filters: { presence: 'online' } };
const like = z.tuple([z.string()]);

function refusal(run: () => unknown): ApiError {
  try {
    run();
  } catch (error) {
    if (error instanceof ApiError) return error;
  }
  throw new Error('it was not refused');
}

describe('a cursor', () => {
  test('says where its own query goes on, in whatever order its filters were given', () => {
    const both = { listing: 'x', filters: { a: 1, b: 'two' } };
    const cursor = encodeCursor(both, ['motoko']);
    expect(decodeCursor({ listing: 'x', filters: { b: 'two', a: 1 } }, cursor, like)).toEqual(['motoko']);
    expect(decodeCursor(both, undefined, like)).toBeNull();
  });

  test('may be written into a URL as it is', () => {
    expect(encodeCursor(query, ['ü/+?&'])).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  test.each([
    ['another listing', { ...query, listing: 'listRoles' }],
    ['another filter', { ...query, filters: { presence: 'away' } }],
    ['one filter less', { listing: query.listing }],
    ['another order', { ...query, order: 'oldest' }],
  ])('of %s is refused and the answer says what to do', (_, other) => {
    const error = refusal(() => decodeCursor(other, encodeCursor(query, ['motoko']), like));
    expect(error).toMatchObject({ code: 'cursor_invalid', status: 400 });
    expect(error.fix).toContain('leave "cursor" out');
  });

  test('with a position that was altered, or of another shape, is refused', () => {
    const [check] = JSON.parse(Buffer.from(encodeCursor(query, ['motoko']), 'base64url').toString());
    const altered = Buffer.from(JSON.stringify([check, ['armitage']])).toString('base64url');
    expect(refusal(() => decodeCursor(query, altered, like)).code).toBe('cursor_invalid');
    expect(refusal(() => decodeCursor(query, encodeCursor(query, [1, 2]), like)).code).toBe('cursor_invalid');
  });

  test('that is any garbage is refused, never a crash', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json().map(toBase64), fc.base64String()), (garbage) => {
        expect(refusal(() => decodeCursor(query, garbage, like)).code).toBe('cursor_invalid');
      }),
    );
  });
});

describe('the pages of a listing', () => {
  test('hold every item once, in order, whatever the limit', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string(), { maxLength: 30 }),
        fc.integer({ min: 1, max: 7 }),
        (names, limit) => {
          const items = names.map((name) => ({ name }));
          expect(walk({ limit }, (page) => pageOfItems(items, page, query, byName))).toEqual(
            [...names].sort((one, other) => (one < other ? -1 : 1)).map((name) => ({ name })),
          );
        },
      ),
    );
  });

  test('neither repeat nor skip what stays when their last item goes and others come', () => {
    const first = pageOfItems(named('a', 'c', 'e'), { limit: 2 }, query, byName);
    expect(first.items).toEqual(named('a', 'c'));
    const cursor = first.nextCursor ?? '';
    expect(pageOfItems(named('b', 'd', 'e'), { limit: 2, cursor }, query, byName)).toEqual({
      items: named('d', 'e'),
      nextCursor: null,
    });
    expect(pageOfItems([], { limit: 2, cursor }, query, byName)).toEqual({ items: [], nextCursor: null });
  });

  test('of what was made at one moment are told apart by their ids', () => {
    const items = ['a', 'b', 'c'].map((id) => ({ id, createdAtMs: 5 }));
    expect(walk({ limit: 1 }, (page) => pageOfItems(items, page, query, newestFirst))).toEqual(
      [...items].reverse(),
    );
  });
});

const toBase64 = (text: string) => Buffer.from(text).toString('base64url');
const named = (...names: string[]) => names.map((name) => ({ name }));

function walk<Item>(
  start: PageQuery,
  read: (page: PageQuery) => { items: Item[]; nextCursor: string | null },
): Item[] {
  const all: Item[] = [];
  let page = start;
  for (;;) {
    const { items, nextCursor } = read(page);
    all.push(...items);
    if (nextCursor === null) return all;
    page = { ...page, cursor: nextCursor };
  }
}
