export type RegistryErrorCode =
  /** Another connection holds the write lock. */
  | 'registry_busy'
  | 'registry_read_only'
  | 'registry_full'
  /** Written by a newer program. */
  | 'registry_newer'
  | 'registry_corrupt'
  /** Another control plane runs on this data directory. */
  | 'registry_in_use'
  /** The data directory is missing and cannot be made, or is no directory of ours. */
  | 'data_directory_unusable'
  /** The reader thread did not answer: too much waits, too slow, or it ended. */
  | 'query_unanswered'
  | 'registry_failed';

/** A failure of the registry, with the path it is about and what mends it. Holds no row's content. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: RegistryErrorCode;
  readonly path: string;
  readonly detail: string;
  readonly fix: string;

  constructor(code: RegistryErrorCode, path: string, detail: string, fix: string, cause?: unknown) {
    super(`${path}: ${detail}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.path = path;
    this.detail = detail;
    this.fix = fix;
  }
}

/** What SQLite and the file system say, in our words. Anything else comes back as `registry_failed`. */
export function toRegistryError(error: unknown, path: string): RegistryError {
  if (error instanceof RegistryError) return error;
  const known = explain(systemCode(error));
  if (known) return new RegistryError(known.code, path, known.detail, known.fix, error);
  const detail = error instanceof Error ? error.message : String(error);
  const fix = 'look at the file and its directory; if they are sound, report this message';
  return new RegistryError('registry_failed', path, detail, fix, error);
}

/** Extended codes (`SQLITE_IOERR_WRITE`, `SQLITE_BUSY_SNAPSHOT`) start with the plain one. */
const EXPLANATIONS: readonly {
  readonly prefixes: readonly string[];
  readonly code: RegistryErrorCode;
  readonly detail: string;
  readonly fix: string;
}[] = [
  {
    prefixes: ['SQLITE_BUSY', 'SQLITE_LOCKED'],
    code: 'registry_busy',
    detail: 'is locked by another program',
    fix: 'close the program that has the file open (a database browser, a backup) and try again',
  },
  {
    prefixes: ['SQLITE_FULL', 'ENOSPC', 'EDQUOT'],
    code: 'registry_full',
    detail: 'the disk is full',
    fix: 'make room on the disk that holds the data directory; nothing was changed',
  },
  {
    prefixes: ['SQLITE_READONLY', 'SQLITE_PERM', 'EROFS', 'EACCES', 'EPERM'],
    code: 'registry_read_only',
    detail: 'cannot be written',
    fix: 'give the user that runs the control plane write access to the file and its directory, or choose another with --data',
  },
  {
    prefixes: ['SQLITE_CORRUPT', 'SQLITE_NOTADB'],
    code: 'registry_corrupt',
    detail: 'is damaged or is not a registry',
    fix: 'restore a backup, or move the file away to start with an empty registry',
  },
  {
    prefixes: ['SQLITE_CANTOPEN', 'ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'ELOOP'],
    code: 'data_directory_unusable',
    detail: 'cannot be opened or made',
    fix: 'check that the path is a directory that the control plane may write, or choose another with --data',
  },
];

function explain(code: string) {
  return EXPLANATIONS.find(({ prefixes }) =>
    prefixes.some((prefix) => code === prefix || code.startsWith(`${prefix}_`)),
  );
}

function systemCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}
