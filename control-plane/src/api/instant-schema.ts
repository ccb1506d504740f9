import { z } from '@hono/zod-openapi';

/** The last instant that a `Date` can hold. */
const MAX_MS = 8_640_000_000_000_000;

/** A moment in a query: milliseconds since 1970, or ISO 8601 with its zone. */
export const instantSchema = z
  .union(
    [
      z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
      z
        .string()
        .regex(/^\d{1,16}$/)
        .transform(Number)
        .pipe(z.int().min(0).max(MAX_MS)),
    ],
    { error: 'milliseconds since 1970, or ISO 8601 with its zone, as 2026-03-01T12:00:00Z' },
  )
  .openapi({ type: 'string', description: 'Milliseconds since 1970, or ISO 8601 with its zone' });
