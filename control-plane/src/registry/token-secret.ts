import { createHash, timingSafeEqual } from 'node:crypto';

/** Hexadecimal. Secrets here are 256 random bits: a slow hash would protect nothing more. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}

/** Takes the same time wherever they differ. */
export function secretMatches(secret: string, storedSha256: string): boolean {
  const presented = createHash('sha256').update(secret, 'utf8').digest();
  const stored = Buffer.from(storedSha256, 'hex');
  return stored.length === presented.length && timingSafeEqual(presented, stored);
}
