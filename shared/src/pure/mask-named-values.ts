import { isSecretName } from './secret-names.js';

/** A name with what parts it from its value: `"apiKey": `, `HF_TOKEN=`, `\"token\":`, `--hf-token=`. What follows is not of it. */
const NAME = /(?<![\w.-])-{0,2}(\w[\w.-]{0,80})(\\*["'])?[ \t]*(?:=>|[:=])[ \t]*/g;
/** A flag of a command line; the quote behind it stands where arguments are written as a list. */
const FLAG = /(?<![\w-])--?([a-z][\w-]{1,60})(\\*["'])?/gi;
const ELEMENT = /<([\w.-]{1,80})>([^<"\n]+)<\/\1>/g;
/**
 * `"…"`, `'…'`, `\"…\"`, `b'…'`. Within JSON the text that a name stands in ends at the first quote without a backslash:
 * nothing but what opens with such a quote goes beyond one. Backslashes are taken in pairs, with what they escape.
 */
const WITHIN = String.raw`(?:[^"\\\n]|\\[^\n])*`;
const QUOTED = String.raw`(?:[a-z]{1,12}\(?)?(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'"\\\n]|\\[^\n])*'|(\\+["'])${WITHIN}?\1)`;
const UNCLOSED = String.raw`"[^\n]*|(?:'|\\+["']|\[)${WITHIN}`;
/** Without a blank. An object has names of its own; a backslash before a quote belongs to the quote. */
const BARE = String.raw`(?![{}[\]])(?:[^\s"'<>\\]|\\[^\s"'])+`;
/** Lists on as many lines as they take, and lists in them. */
const [JSON_LIST, PLAIN_LIST] = [
  String.raw`[^\][{}"'\\]|"(?:[^"\\]|\\.)*"|[{}]|\\.`,
  String.raw`[^\]["'\\\n]|'(?:[^'"\\\n]|\\[^\n])*'|\\[^\n]`,
].map((item) => String.raw`\[(?:${item}|\[(?:${item})*\])*\]`);
/** What JSON writes without quotes. */
const LITERAL = String.raw`(?:-?\d[\d.eE+-]*|true|false|null)(?=\s*[,}\]])`;
const MEMBER_VALUE = new RegExp(`${LITERAL}|${JSON_LIST}|${QUOTED}|"[^\\n]*|${BARE}`, 'iy');
const VALUE = new RegExp(`${LITERAL}|${PLAIN_LIST}|${QUOTED}|${UNCLOSED}|${BARE}`, 'iy');
/** Of a header all that stands in its line may be of the secret. */
const HEADER = /(?:authorization|cookie)$/i;
const REST_OF_LINE = /(?:[^\n"'\\]|\\[^\n"'])+/y;
/** The end of the text in JSON that a name without quotes stands in. */
const TEXT_ENDS = /\\*["'](?:[ \t]*[,}\]:]|[ \t]*$)/my;
/** YAML goes on below: a text of several lines, or a list. */
const BELOW = /(?:[|>][^\n]*)?\r?\n/y;
const NO_SECRET = /^["']?(?:true|false|null|none|undefined|nan)?["']?[,;)}\]]*$/i;
/** A limit or a count may have a name like a token's. */
const SMALL_NUMBER = /^\d{1,5}[,;)\]}]*$/;

interface Span {
  readonly from: number;
  readonly to: number;
  readonly written: string;
}

/** Masks what stands behind a name, flag or tag of a secret, in whatever a program writes: JSON, YAML, settings, logs. */
export function maskNamedValues(text: string, mask: string): string {
  const spans = [...namedSpans(text, mask), ...flagSpans(text, mask)];
  spans.sort((one, other) => one.from - other.from);
  const parts: string[] = [];
  let at = 0;
  for (const { from, to, written } of spans) {
    if (from < at) continue;
    parts.push(text.slice(at, from), written);
    at = to;
  }
  parts.push(text.slice(at));
  return parts
    .join('')
    .replace(ELEMENT, (whole, name: string) => (isSecretName(name) ? `<${name}>${mask}</${name}>` : whole));
}

function* namedSpans(text: string, mask: string): Generator<Span> {
  for (const match of text.matchAll(NAME)) {
    const [whole, name = '', written] = match;
    if (!isSecretName(name)) continue;
    const quote = quoteOf(written);
    const from = match.index + whole.length;
    const below = endBelow(text, match.index, from);
    if (below !== null) {
      yield { from, to: below, written: `${mask}\n` };
      continue;
    }
    if (quote !== '"' && endOf(TEXT_ENDS, text, from) !== null) continue;
    const to = endOf(patternFor(name, quote, text[from] ?? ''), text, from);
    if (to === null) continue;
    const value = text.slice(from, to);
    if (isMasked(value, mask) || NO_SECRET.test(value)) continue;
    if (/token/i.test(name) && SMALL_NUMBER.test(value)) continue;
    yield { from, to, written: writeMask(value, mask, quote) };
  }
}

function patternFor(name: string, quote: string | undefined, first: string): RegExp {
  if (quote === '"') return MEMBER_VALUE;
  return quote === undefined && HEADER.test(name) && !/["'\\]/.test(first) ? REST_OF_LINE : VALUE;
}

function isMasked(value: string, mask: string): boolean {
  return value.replaceAll(/["'\\,;]|^(?:Bearer|Basic) /gi, '').trim() === mask;
}

/** JSON stays JSON. @param quote behind the name, where it stands in quotes */
function writeMask(value: string, mask: string, quote: string | undefined): string {
  const [opening] = /^\\*["']/.exec(value) ?? [];
  if (opening !== undefined && value.length > opening.length && value.endsWith(opening)) {
    return `${opening}${mask}${opening}`;
  }
  if (quote === undefined) return mask;
  const after = value.startsWith('[') ? '' : (/[,}\]{[]*$/.exec(value)?.[0] ?? '');
  return `${quote}${mask}${quote}${after}`;
}

function* flagSpans(text: string, mask: string): Generator<Span> {
  for (const match of text.matchAll(FLAG)) {
    const [whole, name = '', quote] = match;
    if (!isSecretName(name)) continue;
    // Several keys may follow one flag; the next flag never is one.
    const next = quote === undefined ? /[ \t]+(?!-)([^\s"'<>\\]+)/y : listed(quote);
    let at = match.index + whole.length;
    for (;;) {
      next.lastIndex = at;
      const [value, secret = ''] = next.exec(text) ?? [];
      if (value === undefined) break;
      at += value.length;
      const to = at - (quote?.length ?? 0);
      if (secret !== '') yield { from: to - secret.length, to, written: mask };
    }
  }
}

function listed(quote: string): RegExp {
  const literal = quote.replaceAll('\\', '\\\\');
  const within = quote === '"' ? String.raw`(?:[^"\\]|\\.)*` : `${WITHIN}?`;
  return new RegExp(String.raw`\s*,\s*${literal}(?!-)(${within})${literal}`, 'y');
}

/** Two backslashes are one of the text, and escape no quote. */
function quoteOf(written: string | undefined): string | undefined {
  return written === undefined || written.length % 2 === 0 ? written : written.slice(-1);
}

/** Where lines end that belong to a name by their indentation; `null`: its value stands beside it. */
function endBelow(text: string, nameAt: number, from: number): number | null {
  const first = endOf(BELOW, text, from);
  if (first === null) return null;
  const lineAt = text.lastIndexOf('\n', nameAt - 1) + 1;
  const indent = /^[ \t]*(?:- )?/.exec(text.slice(lineAt, nameAt))?.[0].length ?? 0;
  const belongs = new RegExp(`(?:[ \\t]{${indent + 1},}|[ \\t]{${indent}}- )[^\\n]*\\n?`, 'y');
  let at = first;
  for (let end = endOf(belongs, text, at); end !== null; end = endOf(belongs, text, at)) at = end;
  return at === first ? null : at;
}

function endOf(pattern: RegExp, text: string, from: number): number | null {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : null;
}
