/** One sample of a Prometheus text exposition: "name{label=\"value\",…} value [timestamp]". */
export interface MetricSample {
  readonly name: string;
  /** The text between the braces; read with `labelOf`. */
  readonly labels: string;
  readonly value: number;
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const HASH = 0x23;
const BLANK = 0x20;
const BUCKET = '_bucket';

/**
 * Hands every sample whose whole name is in `wanted` to `take`, in the text's order. What is no sample, or has no finite value (NaN, +Inf), is passed over. Nothing is built for the lines that nobody wants:
 * an engine prints thousands. Takes time in proportion to the text, whatever it holds.
 */
export function scanMetrics(
  text: string,
  wanted: ReadonlySet<string>,
  take: (sample: MetricSample) => void,
): void {
  let readsBuckets = false;
  for (const name of wanted) if (name.endsWith(BUCKET)) readsBuckets = true;
  let brace = -1;
  for (let start = 0; start < text.length; ) {
    const end = indexOrEnd(text, '\n', start);
    if (brace < start) brace = indexOrEnd(text, '{', start);
    const nameEnd = brace < end ? brace : endOfWord(text, start, end);
    // Nine lines of ten are buckets of histograms that nobody reads: not even worth a look at their names.
    const isSample = text.charCodeAt(start) !== HASH;
    if (isSample && (readsBuckets || !text.startsWith(BUCKET, nameEnd - BUCKET.length))) {
      const name = text.slice(start, nameEnd);
      const sample = wanted.has(name) ? readSample(name, text.slice(nameEnd, end)) : null;
      if (sample !== null) take(sample);
    }
    start = end + 1;
  }
}

/** The value of one label, its escapes undone; `null` when there is no such label or the labels are garbage. */
export function labelOf(labels: string, name: string): string | null {
  for (let at = 0; at < labels.length; ) {
    const equals = labels.indexOf('=', at);
    if (equals < 0 || labels[equals + 1] !== '"') return null;
    const close = endOfValue(labels, equals + 2);
    if (close < 0) return null;
    if (labels.slice(at, equals).trim() === name) return undoEscapes(labels.slice(equals + 2, close));
    at = close + 1;
    while (labels[at] === ',' || labels[at] === ' ') at += 1;
  }
  return null;
}

function indexOrEnd(text: string, search: string, from: number): number {
  const found = text.indexOf(search, from);
  return found < 0 ? text.length : found;
}

function endOfWord(text: string, start: number, end: number): number {
  for (let at = start; at < end; at += 1) if (text.charCodeAt(at) <= BLANK) return at;
  return end;
}

function readSample(name: string, rest: string): MetricSample | null {
  const close = rest.startsWith('{') ? endOfLabels(rest) : -1;
  if (rest.startsWith('{') && close < 0) return null;
  const labels = close < 0 ? '' : rest.slice(1, close);
  const [text = ''] = rest
    .slice(close + 1)
    .trim()
    .split(/\s+/, 1);
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? { name, labels, value } : null;
}

/** The brace that ends the labels; one within a value does not. */
function endOfLabels(rest: string): number {
  for (let at = 1; at < rest.length; at += 1) {
    if (rest[at] === '}') return at;
    if (rest[at] !== '"') continue;
    at = endOfValue(rest, at + 1);
    if (at < 0) return -1;
  }
  return -1;
}

/** The quote that ends a value beginning at `start`, −1 when there is none. */
function endOfValue(text: string, start: number): number {
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return -1;
}

function undoEscapes(value: string): string {
  return value.includes('\\')
    ? value.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped))
    : value;
}
