/** How a question to somebody over HTTP ended. */
export type AskFact =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly tookMs: number;
      /** Ids of a models listing; `null`: the answer was none. */
      readonly modelIds: readonly string[] | null;
      /** Server's clock less that of who answered, from its `Date` header, which has whole seconds. */
      readonly clockSkewMs: number | null;
    }
  /** `code` as attempts of the gateway have it. */
  | { readonly kind: 'failed'; readonly code: string; readonly detail: string; readonly tookMs: number };

export type IntegrityFact =
  | { readonly kind: 'sound'; readonly tookMs: number }
  | { readonly kind: 'damaged'; readonly detail: string }
  | { readonly kind: 'unreadable'; readonly detail: string }
  | { readonly kind: 'slow'; readonly afterMs: number };

export interface DiskFact {
  readonly directory: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** The registry with its journal. */
  readonly registryBytes: number;
}

export interface CertificateFact {
  readonly directory: string;
  readonly expiresAtMs: number;
  /** What it may be called, in lower case. */
  readonly names: readonly string[];
  readonly hostName: string;
  readonly certificateSha256: string;
  /** What lies in the data directory now; `null`: nothing that can be read. */
  readonly onDiskSha256: string | null;
}
