import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { Engine, Job, Sequence } from './engine.js';
import { QueueFullError } from './engine.js';
import { badRequest, overloaded, unknownModel, VllmError } from './errors.js';
import type { RequestFault } from './faults.js';
import type { VllmSettings } from './options.js';

/** One request being served. */
export interface Exchange {
  readonly settings: VllmSettings;
  readonly engine: Engine;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly bodyText: string;
  readonly body: Buffer;
  readonly fault: RequestFault | null;
}

/**
 * Reads a JSON body into its shape.
 *
 * @throws VllmError 400 in pydantic's words, for another media type, for what is not JSON and for wrong fields
 */
export function parseBody<Schema extends z.ZodType>(exchange: Exchange, schema: Schema): z.infer<Schema> {
  const mediaType = exchange.request.headers['content-type'] ?? '';
  if (mediaType.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    throw badRequest(
      "[{'type': 'value_error', 'msg': \"Unsupported Media Type: Only 'application/json' is allowed\"}]",
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(exchange.bodyText);
  } catch {
    throw badRequest(
      "[{'type': 'json_invalid', 'loc': ('body', 0), 'msg': 'JSON decode error', 'input': {}}]",
    );
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = ['body', ...(issue?.path ?? [])].map((part) => `'${String(part)}'`).join(', ');
  throw badRequest(`[{'type': 'value_error', 'loc': (${path}), 'msg': '${issue?.message}'}]`);
}

/**
 * The model that a request means; the first served one when it names none.
 *
 * @throws VllmError 404
 */
export function servedModel(settings: VllmSettings, model: string | null | undefined): string {
  if (model === null || model === undefined || model === '') return settings.model;
  if (!settings.models.includes(model)) throw unknownModel(model);
  return model;
}

/**
 * How many tokens the reply may have.
 *
 * @throws VllmError 400 with `param: "input_tokens"` when the prompt alone is too long, `max_tokens` when both are
 */
export function replyBudget(settings: VllmSettings, promptTokens: number, wanted: number | null): number {
  const limit = settings.maxModelLen;
  if (promptTokens >= limit) {
    throw badRequest(
      `This model's maximum context length is ${limit} tokens. However, your request has ${promptTokens} input tokens. Please reduce the length of the input messages.`,
      'input_tokens',
    );
  }
  if (wanted === null) return limit - promptTokens;
  if (wanted < 1) throw badRequest(`max_tokens must be at least 1, got ${wanted}.`, 'max_tokens');
  if (promptTokens + wanted > limit) {
    throw badRequest(
      `'max_tokens' or 'max_completion_tokens' is too large: ${wanted}. This model's maximum context length is ${limit} tokens and your request has ${promptTokens} input tokens (${wanted} > ${limit} - ${promptTokens}).`,
      'max_tokens',
    );
  }
  return wanted;
}

/**
 * Gives a job to the engine; the client's disconnect ends it.
 *
 * @throws VllmError 503 when the queue is full
 */
export function submit(exchange: Exchange, job: Omit<Job, 'tokenDelayMs'>): Sequence {
  const tokenDelayMs = exchange.fault?.kind === 'slow' ? exchange.fault.tokenDelayMs : 0;
  try {
    const sequence = exchange.engine.submit({ ...job, tokenDelayMs });
    exchange.response.once('close', () => {
      if (!exchange.response.writableFinished) exchange.engine.abort(sequence);
    });
    return sequence;
  } catch (error) {
    if (error instanceof QueueFullError) throw overloaded(`The server is overloaded: ${error.message}.`);
    throw error;
  }
}

export function requireRunner(
  settings: VllmSettings,
  runner: VllmSettings['runner'] | readonly VllmSettings['runner'][],
  api: string,
): void {
  if (![runner].flat().includes(settings.runner)) throw badRequest(`The model does not support ${api} API`);
}

/** What the engine says for an error of ours that is none of its own. */
export function asVllmError(error: unknown): VllmError {
  if (error instanceof VllmError) return error;
  return new VllmError(500, 'InternalServerError', error instanceof Error ? error.message : String(error));
}
