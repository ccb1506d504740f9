import type { Allowance, ToldLimits } from '../../router/route-types.js';
import type { AnswerHeaders } from '../upstream/upstream-call.js';

/** What is longer is no time. */
const MAX_CHARS = 64;
/** Seconds since 1970 are beyond this, and no provider lets anybody wait for 30 years. */
const EPOCH_SECONDS = 1e9;
const EPOCH_MILLISECONDS = 1e12;
const MOST_MS = 86_400_000;

/**
 * What a provider's answer tells of its limits: `retry-after` and `retry-after-ms`, OpenAI's `x-ratelimit-…` (which most
 * providers have) and Anthropic's `anthropic-ratelimit-…`.
 *
 * @param errorText the body of an answer that is no success, else empty
 * @param nowMs wall clock: some tell a time of day
 */
export function readToldLimits(
  status: number,
  headers: AnswerHeaders,
  errorText: string,
  nowMs: number,
): ToldLimits {
  return {
    answer: answerOf(status, errorText),
    retryAfterMs: retryAfter(headers, nowMs),
    requests: tightest(headers, ['requests'], nowMs),
    tokens: tightest(headers, ['tokens', 'input-tokens'], nowMs) ?? outputTokens(headers, nowMs),
  };
}

function answerOf(status: number, errorText: string): ToldLimits['answer'] {
  switch (status) {
    case 401:
      return 'key_refused';
    case 402:
      return 'unpaid';
    case 429:
      // OpenAI's; others say it in as many words. Waiting as long as its rate limit does not mend it.
      return errorText.includes('insufficient_quota') ? 'out_of_quota' : 'limited';
    case 503:
    case 529:
      return 'limited';
    default:
      return 'answered';
  }
}

function retryAfter(headers: AnswerHeaders, nowMs: number): number | null {
  const exact = readNumber(one(headers['retry-after-ms']));
  if (exact !== null) return Math.min(MOST_MS, exact);
  return readWait(one(headers['retry-after']), nowMs);
}

/** Of several limits the one of which least is left. */
function tightest(headers: AnswerHeaders, kinds: readonly string[], nowMs: number): Allowance | null {
  let least: Allowance | null = null;
  for (const kind of kinds) {
    const allowance =
      allowanceOf(headers, (field) => `x-ratelimit-${field}-${kind}`, nowMs) ??
      allowanceOf(headers, (field) => `anthropic-ratelimit-${kind}-${field}`, nowMs);
    if (allowance !== null && (least === null || allowance.left < least.left)) least = allowance;
  }
  return least;
}

/** What answers may have says nothing of a prompt, until there is nothing left. */
function outputTokens(headers: AnswerHeaders, nowMs: number): Allowance | null {
  const told = tightest(headers, ['output-tokens'], nowMs);
  return told !== null && told.left <= 0 ? told : null;
}

function allowanceOf(
  headers: AnswerHeaders,
  name: (field: 'remaining' | 'limit' | 'reset') => string,
  nowMs: number,
): Allowance | null {
  const left = readNumber(one(headers[name('remaining')]));
  if (left === null) return null;
  const limit = readNumber(one(headers[name('limit')]));
  return { left, limit, resetMs: readWait(one(headers[name('reset')]), nowMs) };
}

/**
 * Milliseconds from now, a day at most: `20` and `1.5` (seconds), `6m0s`, `1s`, `20ms`, seconds or milliseconds since
 * 1970, or a date (HTTP's or RFC 3339's). `null` where it is absent or nonsense.
 */
export function readWait(text: string | null, nowMs: number): number | null {
  if (text === null) return null;
  const number = readNumber(text);
  const waitMs =
    number === null
      ? (readDuration(text) ?? (DATE.test(text) ? Date.parse(text) - nowMs : Number.NaN))
      : fromNumber(number, nowMs);
  return Number.isFinite(waitMs) ? Math.min(MOST_MS, Math.max(0, Math.ceil(waitMs))) : null;
}

function fromNumber(value: number, nowMs: number): number {
  if (value >= EPOCH_MILLISECONDS) return value - nowMs;
  return value >= EPOCH_SECONDS ? value * 1000 - nowMs : value * 1000;
}

/** `Date.parse` takes nearly anything for a date. */
const DATE = /^(\d{4}-\d\d-\d\dT.*|[A-Z][a-z]{2}, .* GMT)$/;
const DURATION = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/;
const UNITS_MS = [86_400_000, 3_600_000, 60_000, 1_000, 1] as const;

function readDuration(text: string): number | null {
  const parts = DURATION.exec(text);
  if (parts === null) return null;
  return UNITS_MS.reduce((sum, unit, index) => sum + Number(parts[index + 1] ?? 0) * unit, 0);
}

function readNumber(text: string | null): number | null {
  return text !== null && /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}

function one(value: string | string[] | undefined): string | null {
  if (typeof value !== 'string') return null;
  const text = value.trim();
  return text === '' || text.length > MAX_CHARS ? null : text;
}
