import { maskNamedValues } from './mask-named-values.js';

export const MASK = '«masked»';

/** Shorter ones would mask half of any text. */
const SHORTEST_SECRET = 6;
/** Of a secret of several lines, such as a key in PEM, each line that is worth it. */
const SHORTEST_LINE = 16;

/** Our own tokens and keys, and the forms that providers give theirs. */
const TOKENS =
  /\b(?:aif[a-z]_|sk-|sk_|pk-|rk_|gh[pousr]_|github_pat_|glpat-|hf_|api_org_|nvapi-|npm_|dckr_pat_|tskey-|xox[a-z]-|AKIA|ASIA|AIza)[A-Za-z0-9._-]{8,}/g;

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [
    /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?:[\w+/=\s:,-]|\\+[nr])*?-----END [A-Z ]*PRIVATE KEY-----|(?:[A-Za-z0-9+/=\s]|\\+[nr])*)/g,
    MASK,
  ],
  /** One whose beginning was cut off. */
  [/(?:(?:^|\n|\\n)[A-Za-z0-9+/=]{16,})+(?:\r?\n|\\n)-----END [A-Z ]*PRIVATE KEY-----/g, MASK],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${MASK}`],
  /** Signed claims (JWT). */
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, MASK],
  [/(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,40}:\/\/)[^\s/?#"'<>\\]*@/gi, `$1${MASK}@`],
  [/(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,40}:\/\/[^\s?"'<>\\]+)\?[^\s"'<>\\]+/gi, `$1?${MASK}`],
];

/**
 * A text without secrets: those that are known, wherever they stand and however JSON, an address or base64 would write
 * them; whatever has the form of one; and what stands behind a name of one.
 */
export function maskText(text: string, known: readonly string[]): string {
  let masked = text;
  for (const form of formsOf(known)) masked = masked.replaceAll(form, maskWord);
  masked = masked.replace(TOKENS, maskWord);
  for (const [pattern, replacement] of PATTERNS) masked = masked.replace(pattern, replacement);
  return maskNamedValues(masked, MASK);
}

/** A backslash before a word may be JSON's, with the word's first letter: that one stays. */
function maskWord(word: string, ...rest: readonly unknown[]): string {
  const [offset, text] = rest as [number, string];
  if (!/^[bfnrtu]/.test(word) || text[offset - 1] !== '\\') return MASK;
  return `${word.charAt(0)}${MASK}`;
}

/** The longest first: one may be a part of another. */
function formsOf(known: readonly string[]): readonly string[] {
  const lines = known.flatMap((secret) =>
    secret.split(/\r?\n/).filter((line) => line.length >= SHORTEST_LINE && !line.startsWith('-----')),
  );
  const forms = [...known.map((secret) => secret.trim()), ...lines]
    .filter((secret) => secret.length >= SHORTEST_SECRET && !MASK.includes(secret))
    .flatMap((secret) => [
      secret,
      inJson(secret),
      inJson(inJson(secret)),
      ...inAddress(secret),
      ...inBase64(secret),
    ]);
  return [...new Set(forms)].sort((one, other) => other.length - one.length);
}

function inJson(secret: string): string {
  return JSON.stringify(secret).slice(1, -1);
}

function inAddress(secret: string): readonly string[] {
  // Half of a pair of surrogates has no form in an address.
  if (!/^(?:[^\ud800-\udfff]|[\ud800-\udbff][\udc00-\udfff])*$/.test(secret)) return [];
  const encoded = encodeURIComponent(secret);
  const inSmallLetters = encoded.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  return [encoded, inSmallLetters, encoded.replaceAll('%20', '+')];
}

function inBase64(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [bytes.toString('base64'), bytes.toString('base64url')];
}
