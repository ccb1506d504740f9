const MAX_SHOWN = 60;
const KEY_PREFIX = /^(sk|pk|rk|hf|gsk|ghp|xai|nvapi|aifa|aifj|Bearer|AIza)[-_ ]?[A-Za-z0-9]/;
const LONG_RANDOM = /[A-Za-z0-9+/_=-]{32,}/;
const HAS_DIGIT = /[0-9]/;

/** Fields whose content is never repeated, whatever it looks like. */
const HIDDEN_FIELDS: ReadonlySet<string> = new Set(['apiKey', 'url', 'baseUrl']);

/** A value as an error names it: short, and nothing that may be a secret. `null`: better not named. */
export function describeValue(value: unknown, path: readonly PropertyKey[]): string | null {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (path.some((part) => typeof part === 'string' && HIDDEN_FIELDS.has(part))) return null;
  if (typeof value !== 'string') return String(value).slice(0, MAX_SHOWN);
  return describeText(value);
}

/** A text in quotes, shortened; one that looks like a key is not shown. */
export function describeText(text: string): string {
  if (looksSecret(text)) return '(not shown: it looks like a secret)';
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}

/** Errs on the side of hiding: names of this fleet are short and lower-case. */
export function looksSecret(text: string): boolean {
  return KEY_PREFIX.test(text) || (LONG_RANDOM.test(text) && HAS_DIGIT.test(text));
}
