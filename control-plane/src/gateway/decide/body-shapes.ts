/** Which top-level members of a JSON body the gateway reads, by what they mean to it. */
export interface BodyShape {
  /** All of them, for the scan. */
  readonly names: readonly string[];
  readonly prompt: ReadonlySet<string>;
  readonly maxTokens: ReadonlySet<string>;
  /** How a prompt with an image or sound in it can be told: its bytes say little of tokens. */
  readonly mediaMark: string;
  /** A stream's usage comes only where `stream_options.include_usage` asks for it. */
  readonly asksUsage: boolean;
}

function shape(
  prompt: readonly string[],
  maxTokens: readonly string[],
  others: readonly string[],
  more: { readonly asksUsage?: boolean; readonly mediaMark?: string } = {},
): BodyShape {
  return {
    names: ['model', ...others, ...prompt, ...maxTokens],
    prompt: new Set(prompt),
    maxTokens: new Set(maxTokens),
    mediaMark: more.mediaMark ?? ';base64,',
    asksUsage: more.asksUsage ?? false,
  };
}

/** Of `/chat/completions`, `/completions` and `/embeddings`. */
export const CHAT_BODY = shape(
  ['messages', 'prompt', 'input'],
  ['max_tokens', 'max_completion_tokens'],
  ['stream', 'stream_options', 'tools', 'response_format', 'n', 'prompt_cache_key', 'user'],
  { asksUsage: true },
);

export const RESPONSES_BODY = shape(
  ['input', 'instructions'],
  ['max_output_tokens'],
  ['stream', 'tools', 'text', 'background', 'previous_response_id', 'prompt_cache_key', 'user'],
);

export const MESSAGES_BODY = shape(['messages', 'system'], ['max_tokens'], ['stream', 'tools'], {
  mediaMark: '"base64"',
});

/** Of `/messages/count_tokens`: nothing is written, so nothing streams, whatever the body says. */
export const COUNT_BODY = shape(['messages', 'system'], [], ['tools'], { mediaMark: '"base64"' });

/** Of `/rerank` and of `/score`, whose two sides have four pairs of names in vLLM. */
export const SCORES_BODY = shape(
  ['query', 'documents', 'text_1', 'text_2', 'queries', 'items', 'data_1', 'data_2'],
  [],
  ['stream'],
);
