/** What a request and its answer said, as far as it is kept. */
export interface KeptBody {
  readonly requestId: string;
  readonly keyId: string;
  /** This server's clock. */
  readonly endedAtMs: number;
  readonly request: KeptText;
  readonly answer: KeptText;
}

/** The first bytes of a body, as UTF-8; what is none is replaced. */
export interface KeptText {
  readonly text: string;
  /** Of all of it. */
  readonly sizeBytes: number;
  /** More was said than is kept. */
  readonly cut: boolean;
}

/** Of each of the two: a conversation's worth, and no picture. */
export const KEPT_BODY_BYTES = 64 * 1024;
