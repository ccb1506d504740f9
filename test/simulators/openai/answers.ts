import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import {
  type ChoiceShape,
  chatTextShape,
  chatToolShape,
  chosenTool,
  completionShape,
  toolArguments,
} from '../common/choice-shapes.js';
import { composeReply, countTokens, tokenPieces } from '../common/reply-text.js';
import { sendJson, type WireFaults } from '../common/reply-writer.js';
import {
  type ChatRequest,
  type CompletionRequest,
  chatRequestSchema,
  completionRequestSchema,
  embeddingRequestSchema,
  inputTexts,
  lastUserText,
  renderPrompt,
  responseMessages,
  responseRequestSchema,
} from '../common/request-bodies.js';
import { seededUnitVector, vectorToBase64 } from '../common/seeded.js';
import { type Produce, sendGeneration } from '../common/send-generation.js';
import { newResponseId, sendResponse } from '../common/send-response.js';
import { badRequest, contextExceeded, rateLimited, unknownModel, unknownResponse } from './errors.js';
import type { OpenAiSettings } from './options.js';
import type { RateLimit } from './rate-limit.js';

export interface OpenAiExchange {
  readonly settings: OpenAiSettings;
  readonly limit: RateLimit;
  /** Ids of the responses that were answered. */
  readonly stored: Set<string>;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly bodyText: string;
  readonly faults: WireFaults;
}

export function answerModels({ settings, limit, response }: OpenAiExchange): Promise<void> {
  const data = [...settings.models, ...settings.embeddingModels].map((id) => ({
    id,
    object: 'model',
    created: 1_700_000_000,
    owned_by: 'openai',
  }));
  return sendJson(response, 200, { object: 'list', data }, { headers: answerHeaders(settings, limit) });
}

export async function answerChat(exchange: OpenAiExchange): Promise<void> {
  const body = parse(exchange, chatRequestSchema);
  const quoted = lastUserText(body.messages);
  const tool = chosenTool(body);
  await generate(exchange, body, {
    prompt: renderPrompt(body.messages),
    quoted,
    shape: tool ? chatToolShape(tool.function.name, `call_${randomUUID()}`) : chatTextShape(),
    reply: tool ? tokenPieces(toolArguments(tool, quoted)) : null,
    endReason: tool ? 'tool_calls' : 'stop',
    budget: body.max_completion_tokens ?? body.max_tokens ?? null,
    ids: { prefix: 'chatcmpl', whole: 'chat.completion', chunk: 'chat.completion.chunk' },
  });
}

export async function answerCompletion(exchange: OpenAiExchange): Promise<void> {
  const body = parse(exchange, completionRequestSchema);
  const prompt = inputTexts(body.prompt).join('\n');
  await generate(exchange, body, {
    prompt,
    quoted: prompt,
    shape: completionShape(),
    reply: null,
    endReason: 'stop',
    budget: body.max_tokens ?? 16,
    ids: { prefix: 'cmpl', whole: 'text_completion', chunk: 'text_completion' },
  });
}

/** A response can be followed by another one; it can be neither read nor deleted. */
export async function answerResponses(exchange: OpenAiExchange): Promise<void> {
  const { settings, limit, stored, response, faults } = exchange;
  const body = parse(exchange, responseRequestSchema);
  const model = knownModel(settings.models, body.model);
  const previous = body.previous_response_id;
  if (previous && !stored.has(previous)) throw unknownResponse(previous);
  const id = newResponseId();
  stored.add(id);
  const messages = responseMessages(body);
  const prompt = renderPrompt(messages);
  const inputTokens = countTokens(prompt);
  if (inputTokens > settings.contextTokens) throw contextExceeded(settings.contextTokens, inputTokens);
  const { name: who, replyTokens: tokens } = settings;
  const reply = composeReply({ who, model, prompt, quoted: lastUserText(messages), tokens });
  const pieces = reply.slice(0, body.max_output_tokens ?? reply.length);
  takeAllowance(limit, inputTokens + pieces.length);
  await sendResponse(
    response,
    {
      id,
      createdSeconds: Math.floor(settings.clock.nowMs() / 1000),
      ...{ model, pieces, isCut: pieces.length < reply.length, cutEvent: 'response.incomplete' },
      ...{ stream: body.stream === true, headers: answerHeaders(settings, limit) },
      ...{ inputTokens, cachedTokens: () => 0 },
    },
    paced(exchange, pieces.length),
    faults,
  );
}

export async function answerEmbeddings(exchange: OpenAiExchange): Promise<void> {
  const { settings, limit, response, faults } = exchange;
  const body = parse(exchange, embeddingRequestSchema);
  const model = knownModel(settings.embeddingModels, body.model);
  const inputs = inputTexts(body.input);
  const tokens = inputs.reduce((sum, input) => sum + countTokens(input), 0);
  takeAllowance(limit, tokens);
  const data = inputs.map((input, index) => {
    const vector = seededUnitVector(`${model}\n${input}`, body.dimensions ?? settings.embeddingDimensions);
    const embedding = body.encoding_format === 'base64' ? vectorToBase64(vector) : [...vector];
    return { object: 'embedding', index, embedding };
  });
  const reply = { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } };
  await sendJson(response, 200, reply, { headers: answerHeaders(settings, limit), faults });
}

/** The headers of every answer: whose request it was, and what is left of the limits. */
export function answerHeaders(settings: OpenAiSettings, limit: RateLimit): Record<string, string> {
  return {
    'x-request-id': `req_${randomUUID().replaceAll('-', '')}`,
    'openai-organization': settings.name,
    'openai-processing-ms': String(settings.firstTokenMs),
    'openai-version': '2020-10-01',
    ...limit.headers(),
  };
}

interface Plan {
  readonly prompt: string;
  readonly quoted: string;
  readonly shape: ChoiceShape;
  /** `null`: words. */
  readonly reply: readonly string[] | null;
  readonly endReason: string;
  readonly budget: number | null;
  readonly ids: { readonly prefix: string; readonly whole: string; readonly chunk: string };
}

async function generate(
  exchange: OpenAiExchange,
  body: ChatRequest | CompletionRequest,
  plan: Plan,
): Promise<void> {
  const { settings, limit, response } = exchange;
  const model = knownModel(settings.models, body.model);
  const promptTokens = countTokens(plan.prompt);
  if (promptTokens > settings.contextTokens) throw contextExceeded(settings.contextTokens, promptTokens);
  const { prompt, quoted } = plan;
  const whole =
    plan.reply ?? composeReply({ who: settings.name, model, prompt, quoted, tokens: settings.replyTokens });
  const pieces = whole.slice(0, plan.budget ?? whole.length);
  takeAllowance(limit, promptTokens + pieces.length);
  await sendGeneration(
    response,
    {
      envelope: {
        id: `${plan.ids.prefix}-${randomUUID()}`,
        created: Math.floor(settings.clock.nowMs() / 1000),
        model,
      },
      objects: plan.ids,
      shape: plan.shape,
      pieces,
      finishReason: pieces.length < whole.length ? 'length' : plan.endReason,
      stream: body.stream === true,
      usageInStream: body.stream_options?.include_usage ? 'last' : 'none',
      nullUsage: true,
      headers: answerHeaders(settings, limit),
      usage: (completionTokens) => ({
        prompt_tokens: promptTokens,
        completion_tokens: completionTokens,
        total_tokens: promptTokens + completionTokens,
        prompt_tokens_details: { cached_tokens: 0 },
      }),
    },
    paced(exchange, pieces.length),
    exchange.faults,
  );
}

/** One token after the other, until the client is gone. */
function paced({ settings, response }: OpenAiExchange, count: number): Produce {
  return async (onToken) => {
    for (let index = 0; index < count; index += 1) {
      const delayMs = index === 0 ? settings.firstTokenMs : settings.tokenMs;
      if (delayMs > 0) await new Promise<void>((resolve) => settings.clock.after(delayMs, resolve));
      if (response.destroyed || !(await onToken(index))) return false;
    }
    return true;
  };
}

function takeAllowance(limit: RateLimit, tokens: number): void {
  const reached = limit.take(tokens);
  if (reached) throw rateLimited(reached, limit.secondsToReset());
}

function knownModel(models: readonly string[], model: string | null | undefined): string {
  if (typeof model !== 'string' || model === '') throw badRequest('you must provide a model parameter');
  if (!models.includes(model)) throw unknownModel(model);
  return model;
}

function parse<Schema extends z.ZodType>(exchange: OpenAiExchange, schema: Schema): z.infer<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(exchange.bodyText);
  } catch {
    throw badRequest('We could not parse the JSON body of your request.');
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const param = issue?.path.join('.');
  throw badRequest(`Invalid value for '${param}': ${issue?.message}.`, param);
}
