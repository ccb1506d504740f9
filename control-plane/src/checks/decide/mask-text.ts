export const MASK = '«masked»';

/** Shorter ones would mask half of any text. */
const SHORTEST_SECRET = 6;

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, MASK],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${MASK}`],
  /** Our own tokens and keys, and the forms that providers give theirs. */
  [/\b(?:aif[a-z]_|sk-|sk_|pk-|rk_|ghp_|gho_|hf_|xox[a-z]-|AKIA|AIza)[A-Za-z0-9._-]{8,}/g, MASK],
  [/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, `$1${MASK}@`],
  [/([a-z][a-z0-9+.-]*:\/\/[^\s?"'<>]+)\?[^\s"'<>]+/gi, `$1?${MASK}`],
  [
    /("(?:[a-z]*(?:password|secret|token|authorization)|api[-_]?key)"\s*:\s*)"(?:[^"\\]|\\.)*"/gi,
    `$1"${MASK}"`,
  ],
];

/**
 * A text without secrets: those that are known, wherever they stand and however JSON or an address would write them,
 * and whatever has the form of one.
 */
export function maskText(text: string, known: readonly string[]): string {
  let masked = text;
  const forms = known
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  for (const form of [...new Set(forms)].sort((a, b) => b.length - a.length)) {
    masked = masked.replaceAll(form, MASK);
  }
  for (const [pattern, replacement] of PATTERNS) masked = masked.replace(pattern, replacement);
  return masked;
}
