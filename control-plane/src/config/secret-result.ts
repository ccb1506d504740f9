export type SecretProblem =
  | 'env_missing'
  | 'file_missing'
  | 'file_unreadable'
  | 'file_readable_by_others'
  /** The control plane was not started by systemd with credentials. */
  | 'credentials_missing'
  | 'vault_unreachable'
  | 'vault_refused'
  | 'vault_secret_missing'
  | 'not_read_yet'
  /** Empty, too long, or with characters that no header may hold. */
  | 'malformed';

export interface SecretFailure {
  readonly ok: false;
  readonly code: SecretProblem;
  /** Names the place and the fix, never the value. */
  readonly detail: string;
}

export type SecretResult = { readonly ok: true; readonly value: string } | SecretFailure;
