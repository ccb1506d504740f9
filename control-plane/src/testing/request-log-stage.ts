import type { Clock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { dataDirectoryLayout } from '../config/data-directory-layout.js';
import { RequestTables } from '../registry/apply-requests.js';
import { openRegistry } from '../registry/open-registry.js';
import { openRegistryDatabase } from '../registry/registry-database.js';
import type { Registry } from '../registry/registry-types.js';
import type { RequestPageQuery, RequestRow, UsageQuery } from '../registry/request-types.js';

/** A registry with its request log and nothing around it, for benchmarks. */
export class RequestLogStage {
  readonly #registry: Registry;

  constructor(dataDirectory: string, clock: Clock) {
    this.#registry = openRegistry({ dataDirectory, clock, log: pino({ level: 'silent' }) });
  }

  append(row: RequestRow): void {
    this.#registry.requestLog.append(row);
  }

  get droppedCount(): number {
    return this.#registry.requestLog.droppedCount;
  }

  async page(query: RequestPageQuery): Promise<number> {
    return (await this.#registry.reader.query('requestPage', query)).rows.length;
  }

  async usage(query: UsageQuery): Promise<number> {
    return (await this.#registry.reader.query('usage', query)).numbers.length;
  }

  close(): Promise<void> {
    return this.#registry.close();
  }
}

/**
 * Fills the log of a registry that nobody else has open, as the observation worker writes it, batch by batch.
 *
 * @returns by how many bytes the file grew
 */
export function fillRequestLog(dataDirectory: string, batches: Iterable<readonly RequestRow[]>): number {
  const { registryFile } = dataDirectoryLayout(dataDirectory);
  const database = openRegistryDatabase(registryFile, { busyTimeoutMs: 1_000, durability: 'normal' });
  try {
    const bytes = (): number =>
      Number(database.raw.pragma('page_count', { simple: true })) *
      Number(database.raw.pragma('page_size', { simple: true }));
    const before = bytes();
    const tables = new RequestTables(database.raw);
    let batchId = 0;
    for (const rows of batches) {
      batchId += 1;
      const mark = { runId: 'fill', batchId };
      database.write(() => tables.apply(rows, mark));
    }
    database.raw.pragma('wal_checkpoint(TRUNCATE)');
    return bytes() - before;
  } finally {
    database.close();
  }
}
