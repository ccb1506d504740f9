import { z } from 'zod';

const consentSchema = z.object({
  format: z.literal(1),
  manifestSha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** What the owner says yes to: one release and no other. @param manifestSha256 hex */
export function writeConsent(manifestSha256: string): string {
  return `${JSON.stringify({ format: 1, manifestSha256 })}\n`;
}

/** @returns SHA-256 of the manifest; `null` where the text says no such thing */
export function parseConsent(text: string): string | null {
  try {
    return consentSchema.safeParse(JSON.parse(text)).data?.manifestSha256 ?? null;
  } catch {
    return null;
  }
}
