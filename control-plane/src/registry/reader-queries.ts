import type Database from 'better-sqlite3';
import { readPower } from './read-power.js';
import { readRequest, readRequestPage } from './read-requests.js';
import { readTelemetry } from './read-telemetry.js';
import { readUsage } from './read-usage.js';
import { readWake, readWakes } from './read-wakes.js';

/**
 * What the reader thread can be asked. A query is a function of the read-only connection and of its parameters;
 * both parameters and result travel between threads as structured clones. It bounds itself: SQLite cannot be
 * interrupted in the middle of a step, so a query that steps for long holds up its followers to their deadlines.
 */
export const readerQueries = {
  fileSize,
  power: readPower,
  request: readRequest,
  requestPage: readRequestPage,
  telemetry: readTelemetry,
  usage: readUsage,
  wake: readWake,
  wakes: readWakes,
};

export type ReaderQueries = typeof readerQueries;
export type QueryName = keyof ReaderQueries;
export type QueryParams<Name extends QueryName> = Parameters<ReaderQueries[Name]>[1];
export type QueryResult<Name extends QueryName> = ReturnType<ReaderQueries[Name]>;

interface FileSize {
  readonly fileBytes: number;
  /** Within the file, to be used again: deleted rows give nothing back to the disk. */
  readonly freeBytes: number;
}

function fileSize(database: Database.Database, _: Record<string, never>): FileSize {
  const pragma = (name: string): number => Number(database.pragma(name, { simple: true }));
  const pageBytes = pragma('page_size');
  return {
    fileBytes: pageBytes * pragma('page_count'),
    freeBytes: pageBytes * pragma('freelist_count'),
  };
}
