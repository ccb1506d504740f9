import type { LimitState } from './step-key-use.js';

/** `x-ratelimit-…` as OpenAI has them: names and values, alternating; nothing of a limit that the key does not have. */
export function limitHeaders(requests: LimitState | null, tokens: LimitState | null): string[] {
  const headers: string[] = [];
  if (requests !== null) push(headers, 'requests', requests);
  if (tokens !== null) push(headers, 'tokens', tokens);
  return headers;
}

function push(headers: string[], what: 'requests' | 'tokens', state: LimitState): void {
  headers.push(`x-ratelimit-limit-${what}`, String(state.limit));
  headers.push(`x-ratelimit-remaining-${what}`, String(state.remaining));
  headers.push(`x-ratelimit-reset-${what}`, formatSpan(state.resetMs));
}

/** A time as OpenAI writes it: `0s`, `120ms`, `8.64s`, `6m0s`, `1h2m3s`. */
export function formatSpan(ms: number): string {
  const whole = Math.ceil(ms);
  if (whole < 1_000) return whole === 0 ? '0s' : `${whole}ms`;
  const seconds = whole / 1_000;
  if (seconds < 60) return `${seconds}s`;
  const all = Math.ceil(seconds);
  const hours = Math.floor(all / 3_600);
  const minutes = Math.floor((all % 3_600) / 60);
  return `${hours > 0 ? `${hours}h` : ''}${minutes}m${all % 60}s`;
}
