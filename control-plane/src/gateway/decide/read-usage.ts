import { type FoundMember, readCount, readJson, scanJsonMembers } from './scan-json-members.js';

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

/** As `readAnswerUsage`, where it is not OpenAI's chat that names the counts. */
export function readAnyAnswerUsage(bytes: Uint8Array): Usage | null | 'broken' {
  const scan = scanJsonMembers(bytes, USAGE);
  if (!scan.ok) return 'broken';
  const member = scan.found.at(-1);
  if (member === undefined) return null;
  return toAnyUsage(readJson(bytes, member.start, member.end));
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

interface AnyUsage extends RawUsage {
  /** Of `/responses` and of `/messages`. */
  readonly input_tokens?: unknown;
  readonly output_tokens?: unknown;
  readonly input_tokens_details?: { readonly cached_tokens?: unknown } | null;
  /** Anthropic counts what it read from its cache, and what it wrote there, beside the input. */
  readonly cache_read_input_tokens?: unknown;
  readonly cache_creation_input_tokens?: unknown;
  /** All that some engines tell of a rerank. */
  readonly total_tokens?: unknown;
}

/**
 * The counts by whatever names they have: OpenAI's of chats, of responses, of transcriptions and scores, Anthropic's.
 *
 * @returns `null` where nothing is counted in tokens: vLLM counts audio in seconds
 */
export function toAnyUsage(value: unknown): Usage | null {
  if (typeof value !== 'object' || value === null) return null;
  const usage: AnyUsage = value;
  const read = count(usage.cache_read_input_tokens);
  const input = count(usage.input_tokens);
  const inputInAll =
    input === null ? null : input + (read ?? 0) + (count(usage.cache_creation_input_tokens) ?? 0);
  const completionTokens = count(usage.completion_tokens) ?? count(usage.output_tokens);
  const total = completionTokens === null ? count(usage.total_tokens) : null;
  const promptTokens = count(usage.prompt_tokens) ?? inputInAll ?? total;
  if (promptTokens === null && completionTokens === null) return null;
  const cachedTokens =
    count(usage.prompt_tokens_details?.cached_tokens) ??
    count(usage.input_tokens_details?.cached_tokens) ??
    read;
  return { promptTokens, completionTokens, cachedTokens };
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}
