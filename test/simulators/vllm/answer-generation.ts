import { randomUUID } from 'node:crypto';
import type { ChoiceShape } from '../common/choice-shapes.js';
import {
  chatTextShape,
  chatToolShape,
  chosenTool,
  completionShape,
  toolArguments,
} from '../common/choice-shapes.js';
import { composeReply, countTokens, tokenPieces } from '../common/reply-text.js';
import {
  chatRequestSchema,
  completionRequestSchema,
  inputTexts,
  lastUserText,
  renderPrompt,
} from '../common/request-bodies.js';
import { type Generation, sendGeneration } from '../common/send-generation.js';
import { badRequest, engineDead, errorBody } from './errors.js';
import { wireFaults } from './faults.js';
import { type Exchange, parseBody, replyBudget, requireRunner, servedModel, submit } from './serving.js';

interface Plan {
  readonly model: string;
  readonly prompt: string;
  readonly reply: readonly string[];
  readonly shape: ChoiceShape;
  readonly endReason: 'stop' | 'tool_calls';
  readonly wantedTokens: number | null;
  readonly ids: { readonly prefix: string; readonly whole: string; readonly chunk: string };
  readonly stream: boolean;
  readonly usageInStream: Generation['usageInStream'];
}

/** `POST /v1/chat/completions`. */
export async function answerChat(exchange: Exchange): Promise<void> {
  const { settings } = exchange;
  requireRunner(settings, 'generate', 'Chat Completions');
  const body = parseBody(exchange, chatRequestSchema);
  const model = servedModel(settings, body.model);
  const prompt = renderPrompt(body.messages);
  const quoted = lastUserText(body.messages);
  const wantedTokens = body.max_completion_tokens ?? body.max_tokens ?? null;
  const tool = chosenTool(body);
  const shape = tool ? chatToolShape(tool.function.name, `chatcmpl-tool-${randomUUID()}`) : chatTextShape();
  const reply = tool
    ? tokenPieces(toolArguments(tool, quoted))
    : compose(exchange, { model, prompt, quoted, tokens: body.ignore_eos ? wantedTokens : null });
  await answer(exchange, {
    model,
    prompt,
    reply,
    shape,
    wantedTokens,
    endReason: tool ? 'tool_calls' : 'stop',
    ids: { prefix: 'chatcmpl', whole: 'chat.completion', chunk: 'chat.completion.chunk' },
    ...streaming(body),
  });
}

/** `POST /v1/completions`, one prompt. */
export async function answerCompletion(exchange: Exchange): Promise<void> {
  const { settings } = exchange;
  requireRunner(settings, 'generate', 'Completions');
  const body = parseBody(exchange, completionRequestSchema);
  const prompts = inputTexts(body.prompt);
  const prompt = prompts[0];
  if (prompt === undefined || prompts.length > 1)
    throw badRequest('one prompt, and no more, is simulated', 'prompt');
  const model = servedModel(settings, body.model);
  const wantedTokens = body.max_tokens ?? 16;
  await answer(exchange, {
    model,
    prompt,
    reply: compose(exchange, {
      model,
      prompt,
      quoted: prompt,
      tokens: body.ignore_eos ? wantedTokens : null,
    }),
    shape: completionShape(),
    wantedTokens,
    endReason: 'stop',
    ids: { prefix: 'cmpl', whole: 'text_completion', chunk: 'text_completion' },
    ...streaming(body),
  });
}

async function answer(exchange: Exchange, plan: Plan): Promise<void> {
  const { settings, engine, response, fault } = exchange;
  const promptTokens = countTokens(plan.prompt);
  const pieces = plan.reply.slice(0, replyBudget(settings, promptTokens, plan.wantedTokens));
  const cut = pieces.length < plan.reply.length;
  const finishReason = cut ? 'length' : plan.endReason;
  const sequence = submit(exchange, { prompt: plan.prompt, promptTokens, outputTokens: pieces.length });
  const usage = (completionTokens: number) => ({
    prompt_tokens: promptTokens,
    total_tokens: promptTokens + completionTokens,
    completion_tokens: completionTokens,
    prompt_tokens_details: settings.promptTokensDetails ? { cached_tokens: sequence.cachedTokens } : null,
  });
  const generation: Generation = {
    envelope: {
      id: `${plan.ids.prefix}-${randomUUID()}`,
      created: Math.floor(settings.clock.nowMs() / 1000),
      model: plan.model,
    },
    objects: plan.ids,
    shape: plan.shape,
    pieces,
    finishReason,
    stream: plan.stream,
    usageInStream: plan.usageInStream,
    nullUsage: false,
    headers: {},
    usage,
  };
  const wire = wireFaults(fault);
  const broken = { body: errorBody(engineDead(), settings.flatErrors) };
  await sendGeneration(
    response,
    generation,
    (onToken) => engine.run(sequence, cut ? 'length' : 'stop', onToken),
    fault?.kind === 'errorInStream'
      ? { ...wire, errorInStream: { afterPieces: fault.afterChunks, ...broken } }
      : wire,
  );
}

/** The reply's pieces; with `tokens` exactly so many. The fault that splits characters needs some that can be split. */
function compose(
  exchange: Exchange,
  request: { model: string; prompt: string; quoted: string; tokens: number | null },
): string[] {
  const { settings, fault } = exchange;
  const tokens = request.tokens ?? settings.replyTokens;
  const reply = composeReply({ ...request, who: settings.name, tokens });
  return fault?.kind === 'splitUtf8' ? ['é漢字🚀 ', ...reply] : reply;
}

function streaming(body: {
  stream?: boolean | null | undefined;
  stream_options?:
    | { include_usage?: boolean | null | undefined; continuous_usage_stats?: boolean | null | undefined }
    | null
    | undefined;
}): Pick<Plan, 'stream' | 'usageInStream'> {
  const stream = body.stream === true;
  const options = body.stream_options;
  if (options && !stream)
    throw badRequest('Stream options can only be defined when `stream=True`.', 'stream_options');
  const every = options?.include_usage && options.continuous_usage_stats;
  return { stream, usageInStream: every ? 'every' : options?.include_usage ? 'last' : 'none' };
}
