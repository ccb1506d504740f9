import { createHash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join, relative } from 'node:path';
import { compareFiles, readChecksums } from './decide/read-checksums.js';

export interface FolderCheck {
  /** First twelve digits of the list's own hash: which build it is. */
  readonly build: string;
  readonly bytes: number;
}

export type FolderVerdict =
  | ({ readonly ok: true } & FolderCheck)
  | { readonly ok: false; readonly problems: readonly string[] };

export const SUMS = 'SHA256SUMS';
/** Of a release build: base64 of the release key's signature over the list, which so holds for all that is listed. */
export const SUMS_SIGNATURE = 'SHA256SUMS.sig';
const PIECE_BYTES = 1024 * 1024;

/** Compares every file of an unpacked archive with the list that it brings. */
export function checkFolder(folder: string): FolderVerdict {
  let text: string;
  try {
    text = readFileSync(join(folder, SUMS), 'utf8');
  } catch {
    return { ok: false, problems: [`${SUMS} is missing`] };
  }
  const sums = readChecksums(text);
  if (sums === null) return { ok: false, problems: [`${SUMS} is no list of checksums`] };
  const files = listFiles(folder);
  const compared = files.filter(({ path }) => ![SUMS, SUMS_SIGNATURE].includes(relative(folder, path)));
  const found = Object.fromEntries(compared.map(({ path }) => [relative(folder, path), digest(path)]));
  const problems = compareFiles(sums, found);
  if (problems.length > 0) return { ok: false, problems };
  const build = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return { ok: true, build, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

function listFiles(folder: string): { readonly path: string; readonly bytes: number }[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? listFiles(path) : [{ path, bytes: lstatSync(path).size }];
  });
}

/** What is no file (a link, a pipe) has none of the list's hashes. */
function digest(path: string): string {
  if (!lstatSync(path).isFile()) return 'no file';
  const hash = createHash('sha256');
  const piece = Buffer.alloc(PIECE_BYTES);
  const descriptor = openSync(path, 'r');
  try {
    for (let read = readSync(descriptor, piece); read > 0; read = readSync(descriptor, piece)) {
      hash.update(piece.subarray(0, read));
    }
    return hash.digest('hex');
  } finally {
    closeSync(descriptor);
  }
}
