const MASK = '(masked)';
const SECRET_NAME = /secret|token|password|passphrase|credential|authorization|private|api[-_]?key|^key$/i;
/** As ours and the providers' begin. */
const SECRET_VALUE = /^(?:aif[a-z]*[._-]|sk-|bearer )/i;
const URL_USER = /(:\/\/)[^/@\s]*@/g;
const URL_QUERY = /(:\/\/[^?\s]*)\?\S*/g;

const MAX_TEXT = 200;
const MAX_ITEMS = 20;
const MAX_DEPTH = 8;
const MAX_SUMMARY = 2_000;

/** Whether a string by this name must not be written down. */
function isSecret(name: string, value: string): boolean {
  return value !== '' && (SECRET_NAME.test(name) || SECRET_VALUE.test(value));
}

/** Whether there is a secret anywhere in it. Rather too often than once too seldom. */
export function holdsSecret(value: unknown, name = ''): boolean {
  if (typeof value === 'string') return isSecret(name, value);
  if (Array.isArray(value)) return value.some((each) => holdsSecret(each, name));
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, each]) => holdsSecret(each, key));
}

/** What was sent, short enough to be kept and without secrets. */
export function summariseBody(text: string, contentType: string | undefined): unknown {
  if (text === '') return null;
  const unread = { contentType: contentType?.slice(0, MAX_TEXT) ?? null, characters: text.length };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return unread;
  }
  const masked = mask(value, '', 0);
  return JSON.stringify(masked).length <= MAX_SUMMARY ? masked : { ...unread, members: memberNames(value) };
}

function mask(value: unknown, name: string, depth: number): unknown {
  if (typeof value === 'string') return maskText(value, name);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '(deeper)';
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ITEMS).map((each) => mask(each, name, depth + 1));
    return value.length > MAX_ITEMS ? [...items, `(${value.length - MAX_ITEMS} more)`] : items;
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mask(each, key, depth + 1)]));
}

function maskText(value: string, name: string): string {
  if (isSecret(name, value)) return MASK;
  // A file within the body: what it holds is not looked through.
  if (value.length > MAX_TEXT || value.includes('\n')) return `(${value.length} characters)`;
  return value.replaceAll(URL_USER, '$1…@').replaceAll(URL_QUERY, '$1?…');
}

function memberNames(value: unknown): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.keys(value)
    .slice(0, MAX_ITEMS)
    .map((name) => name.slice(0, MAX_TEXT));
}
