import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { ApiError } from './problem.js';

const DEFAULT_PAGE_LIMIT = 100;
const MAX_PAGE_LIMIT = 1_000;
const MAX_CURSOR_LENGTH = 1_024;
const CHECK_BYTES = 12;

/** The query of every listing, besides its filters. */
export const pageQuerySchema = z.object({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_PAGE_LIMIT)
    .default(DEFAULT_PAGE_LIMIT)
    .openapi({ param: { name: 'limit', in: 'query' }, description: 'Items of a page at the most' }),
  cursor: z
    .string()
    .max(MAX_CURSOR_LENGTH)
    .optional()
    .openapi({
      param: { name: 'cursor', in: 'query' },
      description: '`nextCursor` of the page before, with the same filters and order',
    }),
});
export type PageQuery = z.infer<typeof pageQuerySchema>;

export interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor: string | null;
}

/** Where a page ended: the values that the listing is ordered by, the last of them unique. */
export type PagePosition = readonly (string | number)[];

/** Whose cursor it is. A cursor of one query says nothing to another. */
export interface CursorQuery {
  /** The operation's id. */
  readonly listing: string;
  /** As the client sent them: a default that moves with the time is left out. */
  readonly filters?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly order?: string;
}

const sealedSchema = z.tuple([z.string(), z.array(z.union([z.string(), z.number()])).min(1)]);

export function encodeCursor(query: CursorQuery, position: PagePosition): string {
  return Buffer.from(JSON.stringify([checkOf(query, position), position]), 'utf8').toString('base64url');
}

/**
 * @param like a position of this listing, so that one of another shape is refused
 * @returns where to go on, `null` for the first page
 * @throws ApiError cursor_invalid
 */
export function decodeCursor<Position extends PagePosition>(
  query: CursorQuery,
  cursor: string | undefined,
  like: z.ZodType<Position>,
): Position | null {
  if (cursor === undefined) return null;
  const opened = sealedSchema.safeParse(readJson(Buffer.from(cursor, 'base64url').toString('utf8')));
  if (!opened.success) throw invalidCursor('is none that this control plane gave');
  const [check, position] = opened.data;
  const known = like.safeParse(position);
  if (!known.success || check !== checkOf(query, position)) {
    throw invalidCursor('is of another listing, or of other filters or another order');
  }
  return known.data;
}

/**
 * A page of rows that were read in order, one more than the page holds.
 *
 * @param rows `limit + 1` at the most
 */
export function pageOfRows<Row>(
  rows: readonly Row[],
  limit: number,
  query: CursorQuery,
  positionOf: (row: Row) => PagePosition,
): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items, nextCursor: more ? encodeCursor(query, positionOf(last)) : null };
}

/** An order of a listing that is held in memory. */
export interface ListingOrder<Item, Position extends PagePosition> {
  readonly like: z.ZodType<Position>;
  readonly positionOf: (item: Item) => Position;
  readonly compare: (one: Position, other: Position) => number;
}

export const byName: ListingOrder<{ readonly name: string }, readonly [string]> = {
  like: z.tuple([z.string()]),
  positionOf: ({ name }) => [name],
  compare: ([one], [other]) => compareText(one, other),
};

export const newestFirst: ListingOrder<
  { readonly createdAtMs: number; readonly id: string },
  readonly [number, string]
> = {
  like: z.tuple([z.number(), z.string()]),
  positionOf: ({ createdAtMs, id }) => [createdAtMs, id],
  compare: ([oneMs, one], [otherMs, other]) => otherMs - oneMs || compareText(other, one),
};

/** A page of what is held in memory: what came or went between two pages moves nothing else out of its place. */
export function pageOfItems<Item, Position extends PagePosition>(
  items: Iterable<Item>,
  { limit, cursor }: PageQuery,
  query: CursorQuery,
  order: ListingOrder<Item, Position>,
): Page<Item> {
  const { like, positionOf, compare } = order;
  const after = decodeCursor(query, cursor, like);
  const sorted = [...items].sort((one, other) => compare(positionOf(one), positionOf(other)));
  const start = after === null ? 0 : sorted.findIndex((item) => compare(positionOf(item), after) > 0);
  const rest = start === -1 ? [] : sorted.slice(start, start + limit + 1);
  return pageOfRows(rest, limit, query, positionOf);
}

function checkOf({ listing, filters = {}, order = '' }: CursorQuery, position: PagePosition): string {
  const given = Object.entries(filters)
    .filter(([, value]) => value !== undefined)
    .sort(([one], [other]) => compareText(one, other));
  const bound = JSON.stringify([listing, given, order, position]);
  return createHash('sha256').update(bound).digest().subarray(0, CHECK_BYTES).toString('base64url');
}

/** By code unit: the same on every machine, whatever its language. */
function compareText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function invalidCursor(why: string): ApiError {
  return new ApiError(
    'cursor_invalid',
    `the cursor ${why}`,
    'leave "cursor" out for the first page, then send the "nextCursor" of each page with the same filters',
  );
}
