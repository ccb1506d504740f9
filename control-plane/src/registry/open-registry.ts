import { randomBytes } from 'node:crypto';
import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { dataDirectoryLayout } from '../config/data-directory-layout.js';
import { prepareDataDirectory } from './data-directory.js';
import { lockDataDirectory } from './data-directory-lock.js';
import { createDeclaredStore } from './declared-store.js';
import { createHostStore } from './host-store.js';
import { createKeyStore } from './key-store.js';
import { createLearnedStore } from './learned-store.js';
import { migrateRegistry } from './migrate-registry.js';
import { observationThreads } from './observation-thread.js';
import { ThreadedObservationWriter } from './observation-writer.js';
import { createPowerStore } from './power-store.js';
import { readHostEvents } from './read-host-events.js';
import { readerThreads } from './reader-thread.js';
import { openRegistryDatabase, type RegistryDatabase } from './registry-database.js';
import { RegistryReader } from './registry-reader.js';
import type { Registry } from './registry-types.js';
import { createTokenStore } from './token-store.js';
import { createWriteJournal } from './write-journal.js';

export interface OpenRegistryOptions {
  readonly dataDirectory: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where the migrations are, if not with the program. */
  readonly migrationsFolder?: string;
  /** The compiled observation worker, if not with the program. */
  readonly workerUrl?: URL;
}

/** Calls on the main thread wait no longer for a lock than a request can bear. */
const BUSY_TIMEOUT_MS = 250;

/**
 * Takes the data directory, brings its registry to this program's schema and reads what is declared.
 *
 * @throws {RegistryError} that names the path and the fix; then nothing is held
 */
export function openRegistry(options: OpenRegistryOptions): Registry {
  const { dataDirectory, log } = options;
  const layout = dataDirectoryLayout(dataDirectory);
  prepareDataDirectory(dataDirectory);
  const lock = lockDataDirectory(layout, log);
  let database: RegistryDatabase | undefined;
  try {
    // What is asked for here is answered for: it must be on the disk, not only in the journal's cache.
    database = openRegistryDatabase(layout.registryFile, {
      busyTimeoutMs: BUSY_TIMEOUT_MS,
      durability: 'full',
    });
    migrateRegistry(database, options.migrationsFolder);
    return assemble(options, database, () => lock.release());
  } catch (error) {
    database?.close();
    lock.release();
    throw error;
  }
}

function assemble(
  { clock, log, workerUrl }: OpenRegistryOptions,
  database: RegistryDatabase,
  release: () => void,
): Registry {
  const declared = createDeclaredStore(database, clock, log);
  const startThread = observationThreads(
    { registryFile: database.file, runId: randomBytes(8).toString('hex') },
    workerUrl,
  );
  const observations = new ThreadedObservationWriter({ startThread, clock, log });
  const reader = new RegistryReader({
    registryFile: database.file,
    startThread: readerThreads({ registryFile: database.file }),
    clock,
  });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await Promise.all([observations.close(), reader.close()]);
    database.close();
    release();
  };
  return {
    declared,
    hosts: createHostStore(database, randomBytes),
    tokens: createTokenStore(database, randomBytes),
    writes: createWriteJournal(database),
    keys: createKeyStore(database, randomBytes),
    observations,
    learned: createLearnedStore(database, observations),
    power: createPowerStore(database, observations),
    hostEvents: (limit) => readHostEvents(database, limit),
    requestLog: observations.requestLog,
    reader,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
