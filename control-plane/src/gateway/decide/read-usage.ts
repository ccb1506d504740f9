import { type FoundMember, readCount, scanJsonMembers } from './scan-json-members.js';

/** Tokens as the engine counted them. */
export interface Usage {
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  /** Part of the prompt that came from the engine's prefix cache. */
  readonly cachedTokens: number | null;
}

const USAGE = ['usage'];
const COUNTS = ['prompt_tokens', 'completion_tokens', 'prompt_tokens_details'];
const CACHED = ['cached_tokens'];

/**
 * Reads the usage of a whole answer without parsing it (an embeddings answer is megabytes of numbers).
 *
 * @returns `broken` where the answer is no whole JSON object
 */
export function readAnswerUsage(bytes: Uint8Array): Usage | null | 'broken' {
  const scan = scanJsonMembers(bytes, USAGE);
  if (!scan.ok) return 'broken';
  const member = scan.found.at(-1);
  return member === undefined ? null : readUsage(bytes.subarray(member.start, member.end));
}

function readUsage(bytes: Uint8Array): Usage | null {
  const scan = scanJsonMembers(bytes, COUNTS);
  if (!scan.ok) return null;
  let promptTokens: number | null = null;
  let completionTokens: number | null = null;
  let cachedTokens: number | null = null;
  for (const member of scan.found) {
    if (member.name === 'prompt_tokens') promptTokens = readCount(bytes, member.start, member.end);
    else if (member.name === 'completion_tokens')
      completionTokens = readCount(bytes, member.start, member.end);
    else cachedTokens = readCached(bytes, member);
  }
  return { promptTokens, completionTokens, cachedTokens };
}

function readCached(bytes: Uint8Array, details: FoundMember): number | null {
  const inner = bytes.subarray(details.start, details.end);
  const scan = scanJsonMembers(inner, CACHED);
  const member = scan.ok ? scan.found.at(-1) : undefined;
  return member === undefined ? null : readCount(inner, member.start, member.end);
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
