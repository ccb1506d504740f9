import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { composeReply, countTokens } from '../common/reply-text.js';
import { EventStream, sendJson } from '../common/reply-writer.js';
import { lastUserText, messageRequestSchema, renderPrompt } from '../common/request-bodies.js';
import { wireFaults } from './faults.js';
import { type Exchange, parseBody, replyBudget, requireRunner, servedModel, submit } from './serving.js';

const countRequestSchema = messageRequestSchema.pick({ model: true, messages: true, system: true });

function promptOf({ system, messages }: z.infer<typeof countRequestSchema>): string {
  const first = system ? [{ role: 'system', content: system }] : [];
  return renderPrompt([...first, ...messages]);
}

/** `POST /v1/messages/count_tokens`: by the server's own tokenizer, so the engine does not run. */
export function answerTokenCount(exchange: Exchange): Promise<void> {
  const { settings, response, fault } = exchange;
  requireRunner(settings, 'generate', 'Messages');
  const body = parseBody(exchange, countRequestSchema);
  servedModel(settings, body.model);
  const counted = { input_tokens: countTokens(promptOf(body)) };
  return sendJson(response, 200, counted, { faults: wireFaults(fault) });
}

/** `POST /v1/messages`: Anthropic's API, with what vLLM leaves out of it. */
export async function answerMessages(exchange: Exchange): Promise<void> {
  const { settings, engine, response, fault } = exchange;
  requireRunner(settings, 'generate', 'Messages');
  const body = parseBody(exchange, messageRequestSchema);
  const model = servedModel(settings, body.model);
  const prompt = promptOf(body);
  const promptTokens = countTokens(prompt);
  const budget = replyBudget(settings, promptTokens, body.max_tokens);
  const { name: who, replyTokens: tokens } = settings;
  const reply = composeReply({ who, model, prompt, quoted: lastUserText(body.messages), tokens });
  const pieces = reply.slice(0, budget);
  const isCut = pieces.length < reply.length;
  const sequence = submit(exchange, { prompt, promptTokens, outputTokens: pieces.length });
  const produce = (onToken: (index: number) => Promise<boolean>): Promise<boolean> =>
    engine.run(sequence, isCut ? 'length' : 'stop', onToken);
  const message = {
    ...{ id: `chatcmpl-${randomUUID()}`, type: 'message', role: 'assistant', model },
    ...{ stop_sequence: null },
  };
  const stopReason = isCut ? 'max_tokens' : 'end_turn';
  const usage = { input_tokens: promptTokens, output_tokens: pieces.length };
  if (body.stream !== true) {
    if (!(await produce(async () => true))) return;
    const content = [{ type: 'text', text: pieces.join('') }];
    await sendJson(
      response,
      200,
      { ...message, content, stop_reason: stopReason, usage },
      { faults: wireFaults(fault) },
    );
    return;
  }
  const stream = new EventStream(response, wireFaults(fault));
  stream.open();
  const started = {
    ...message,
    content: [],
    stop_reason: null,
    usage: { input_tokens: 0, output_tokens: 0 },
  };
  await stream.sendTyped({ type: 'message_start', ...{ message: started } });
  await stream.sendTyped({
    type: 'content_block_start',
    ...{ index: 0, content_block: { type: 'text', text: '' } },
  });
  const finished = await produce(async (index) => {
    if (fault?.kind === 'errorInStream' && fault.afterChunks === index) {
      const error = { type: 'internal_error', message: 'EngineCore encountered an issue.' };
      await stream.sendTyped({ type: 'error', ...{ error } });
      stream.end();
      return false;
    }
    const delta = { type: 'text_delta', text: pieces[index] ?? '' };
    return stream.sendTyped({ type: 'content_block_delta', ...{ index: 0, delta } });
  });
  if (!finished) return;
  await stream.sendTyped({ type: 'content_block_stop', ...{ index: 0 } });
  await stream.sendTyped({ type: 'message_delta', ...{ delta: { stop_reason: stopReason }, usage } });
  await stream.sendTyped({ type: 'message_stop' });
  stream.end();
}
