import { z } from 'zod';

const contentSchema = z.union([
  z.string(),
  z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
  z.null(),
]);

const messageSchema = z.looseObject({ role: z.string(), content: contentSchema.optional() });

const toolSchema = z.looseObject({
  type: z.literal('function'),
  function: z.looseObject({
    name: z.string(),
    parameters: z.looseObject({ properties: z.record(z.string(), z.unknown()).optional() }).optional(),
  }),
});
export type Tool = z.infer<typeof toolSchema>;

const generationFields = {
  model: z.string().nullish(),
  max_tokens: z.int().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z
    .looseObject({ include_usage: z.boolean().nullish(), continuous_usage_stats: z.boolean().nullish() })
    .nullish(),
  /** vLLM's own: go on to `max_tokens`. */
  ignore_eos: z.boolean().nullish(),
};

export const chatRequestSchema = z.looseObject({
  ...generationFields,
  messages: z.array(messageSchema).min(1),
  max_completion_tokens: z.int().nullish(),
  tools: z.array(toolSchema).nullish(),
  tool_choice: z.unknown().optional(),
});
export type ChatRequest = z.infer<typeof chatRequestSchema>;

const tokenIdsSchema = z.array(z.int());
const textInputSchema = z.union([z.string(), z.array(z.string()), tokenIdsSchema, z.array(tokenIdsSchema)]);

export const completionRequestSchema = z.looseObject({ ...generationFields, prompt: textInputSchema });
export type CompletionRequest = z.infer<typeof completionRequestSchema>;

export const embeddingRequestSchema = z.looseObject({
  model: z.string().nullish(),
  input: textInputSchema,
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().nullish(),
});

const inputItemSchema = z.looseObject({
  role: z.string().optional(),
  content: contentSchema.optional(),
  output: z.string().optional(),
});

/** Of `/responses`. */
export const responseRequestSchema = z.looseObject({
  model: z.string().nullish(),
  input: z.union([z.string(), z.array(inputItemSchema)]),
  instructions: z.string().nullish(),
  max_output_tokens: z.int().nullish(),
  previous_response_id: z.string().nullish(),
  stream: z.boolean().nullish(),
});
export type ResponseRequest = z.infer<typeof responseRequestSchema>;

/** What a response is made from, as messages: its instructions are the system's. */
export function responseMessages({ instructions, input }: ResponseRequest): ChatRequest['messages'] {
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
  const messages = items.map((item) => ({ role: item.role ?? 'tool', content: item.content ?? item.output }));
  return instructions ? [{ role: 'system', content: instructions }, ...messages] : messages;
}

/** Of Anthropic's `/messages`. */
export const messageRequestSchema = z.looseObject({
  model: z.string(),
  max_tokens: z.int(),
  messages: z.array(messageSchema).min(1),
  system: contentSchema.optional(),
  stream: z.boolean().nullish(),
});

/** The messages as one text, as a chat template renders them: a shared history is a shared prefix. */
export function renderPrompt(messages: ChatRequest['messages']): string {
  return messages.map((message) => `<|${message.role}|>\n${contentText(message.content)}\n`).join('');
}

export function lastUserText(messages: ChatRequest['messages']): string {
  return contentText(messages.findLast((message) => message.role === 'user')?.content);
}

/** The inputs of a completion or embedding request, one text each; token ids become a text of their own. */
export function inputTexts(input: CompletionRequest['prompt']): string[] {
  if (typeof input === 'string') return [input];
  if (input.length > 0 && input.every((part) => typeof part === 'number')) return [input.join(' ')];
  return input.map((part) => (Array.isArray(part) ? part.join(' ') : String(part)));
}

function contentText(content: z.infer<typeof contentSchema> | undefined): string {
  if (content === undefined || content === null) return '';
  if (typeof content === 'string') return content;
  return content.map((part) => part.text ?? '').join('');
}
