import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';

/** Looks through the whole file, on a connection that cannot write, and ends. */

const MAX_LINES = 5;

const { registryFile } = workerData as { readonly registryFile: string };
const startedAt = performance.now();
try {
  const database = new Database(registryFile, { readonly: true, fileMustExist: true });
  try {
    const rows = database.pragma(`quick_check(${MAX_LINES})`) as readonly { readonly quick_check: string }[];
    const lines = rows.map((row) => row.quick_check).filter((line) => line !== 'ok');
    parentPort?.postMessage(
      lines.length === 0
        ? { kind: 'sound', tookMs: performance.now() - startedAt }
        : { kind: 'damaged', detail: lines.join('; ') },
    );
  } finally {
    database.close();
  }
} catch (error) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const detail = error instanceof Error ? error.message : String(error);
  const damaged = code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
  parentPort?.postMessage({ kind: damaged ? 'damaged' : 'unreadable', detail });
}
