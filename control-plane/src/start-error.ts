import { CredentialError } from './certificate/credential-error.js';
import { FabricFileError } from './declared/seed-from-file.js';
import { ListenError } from './http/listeners.js';
import { RegistryError } from './registry/registry-error.js';

/** Why the control plane does not start, with what mends it. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly fix: string | null;

  constructor(message: string, fix: string | null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.fix = fix;
  }
}

/** Failures that an operator can mend, as such; anything else stays what it is. */
export function toStartError(error: unknown): unknown {
  if (error instanceof RegistryError) return new StartError(error.message, error.fix, error);
  if (error instanceof CredentialError) return new StartError(error.message, error.fix, error);
  if (error instanceof FabricFileError) return new StartError(error.message, error.fix, error);
  if (error instanceof ListenError) return new StartError(error.message, null, error);
  return error;
}
