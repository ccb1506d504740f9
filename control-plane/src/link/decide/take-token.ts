/** A budget that refills with time. */
export interface TokenBucket {
  readonly tokens: number;
  /** Monotonic. */
  readonly atMs: number;
}

export interface BucketPolicy {
  readonly burst: number;
  readonly perSecond: number;
}

export function fullBucket(policy: BucketPolicy, nowMs: number): TokenBucket {
  return { tokens: policy.burst, atMs: nowMs };
}

/** What is in it now. */
export function refill(bucket: TokenBucket, policy: BucketPolicy, nowMs: number): TokenBucket {
  const passedSeconds = Math.max(0, nowMs - bucket.atMs) / 1_000;
  return { tokens: Math.min(policy.burst, bucket.tokens + passedSeconds * policy.perSecond), atMs: nowMs };
}

/** Takes what something costs. `ok` is false, and nothing is taken, when there is not enough. */
export function takeToken(
  bucket: TokenBucket,
  policy: BucketPolicy,
  cost: number,
  nowMs: number,
): { readonly bucket: TokenBucket; readonly ok: boolean } {
  const full = refill(bucket, policy, nowMs);
  if (full.tokens < cost) return { bucket: full, ok: false };
  return { bucket: { tokens: full.tokens - cost, atMs: nowMs }, ok: true };
}
