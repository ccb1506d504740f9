const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** One file holds an hour of one key. */
export interface BodyFile {
  readonly keyId: string;
  /** Start of its hour, UTC. */
  readonly hourMs: number;
  readonly sizeBytes: number;
}

/** @returns such as `2026-11-24T22.ndjson` */
export function bodyFileName(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 13)}.ndjson`;
}

/** @returns the start of its hour; `null` for a file that is none of ours */
export function hourOfBodyFile(name: string): number | null {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2})\.ndjson$/.exec(name);
  const hourMs = match === null ? Number.NaN : Date.parse(`${match[1]}:00:00.000Z`);
  return Number.isNaN(hourMs) ? null : hourMs;
}

/**
 * Which files go: those that are older than their key wants, all of a key that wants none, and the oldest of all keys
 * while together they are too large.
 *
 * @param keepDays by key id; a key that is not in it wants none
 */
export function planBodyPruning(
  files: readonly BodyFile[],
  keepDays: ReadonlyMap<string, number>,
  maxBytes: number,
  nowMs: number,
): readonly BodyFile[] {
  const over = new Set(
    files.filter(({ keyId, hourMs }) => hourMs + HOUR_MS <= nowMs - (keepDays.get(keyId) ?? 0) * DAY_MS),
  );
  for (const file of files) if (!keepDays.has(file.keyId)) over.add(file);
  const kept = files.filter((file) => !over.has(file)).toSorted((a, b) => a.hourMs - b.hourMs);
  let totalBytes = kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  for (const file of kept) {
    if (totalBytes <= maxBytes) break;
    over.add(file);
    totalBytes -= file.sizeBytes;
  }
  return files.filter((file) => over.has(file));
}
