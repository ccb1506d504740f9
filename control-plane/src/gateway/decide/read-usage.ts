import { readJson, scanJsonMembers } from './scan-json-members.js';

/** Tokens as the engine counted them. */
export interface Usage {
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  /** Part of the prompt that came from the engine's prefix cache. */
  readonly cachedTokens: number | null;
}

const USAGE = ['usage'];

/**
 * Reads the usage of a whole answer without parsing the rest of it (an embeddings answer is megabytes of numbers).
 *
 * @returns `broken` where the answer is no whole JSON object
 */
export function readAnswerUsage(bytes: Uint8Array): Usage | null | 'broken' {
  const scan = scanJsonMembers(bytes, USAGE);
  if (!scan.ok) return 'broken';
  const member = scan.found.at(-1);
  return member === undefined ? null : toUsage(readJson(bytes, member.start, member.end));
}

interface RawUsage {
  readonly prompt_tokens?: unknown;
  readonly completion_tokens?: unknown;
  readonly prompt_tokens_details?: { readonly cached_tokens?: unknown } | null;
}

export function toUsage(value: unknown): Usage | null {
  if (typeof value !== 'object' || value === null) return null;
  const usage: RawUsage = value;
  return {
    promptTokens: count(usage.prompt_tokens),
    completionTokens: count(usage.completion_tokens),
    cachedTokens: count(usage.prompt_tokens_details?.cached_tokens),
  };
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}
