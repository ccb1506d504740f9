/** A certificate, its key or the admin token that cannot be used, with the path and what mends it. */
export class CredentialError extends Error {
  override readonly name = 'CredentialError';
  readonly path: string;
  readonly fix: string;

  constructor(path: string, detail: string, fix: string, cause?: unknown) {
    super(`${path}: ${detail}`, cause === undefined ? undefined : { cause });
    this.path = path;
    this.fix = fix;
  }
}

/** A file system's error on one of them. */
export function toCredentialError(error: unknown, path: string): CredentialError {
  if (error instanceof CredentialError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  const fix =
    code === 'ENOSPC'
      ? 'make room on the disk that holds the data directory'
      : 'give the user that runs the control plane read and write access to the data directory';
  return new CredentialError(path, `cannot be read or written (${code})`, fix, error);
}
