import { composeReply, countTokens } from '../common/reply-text.js';
import {
  lastUserText,
  renderPrompt,
  responseMessages,
  responseRequestSchema,
} from '../common/request-bodies.js';
import { newResponseId, sendResponse } from '../common/send-response.js';
import { VllmError } from './errors.js';
import { wireFaults } from './faults.js';
import { type Exchange, parseBody, replyBudget, requireRunner, servedModel, submit } from './serving.js';

/** `POST /v1/responses`, without its store, which vLLM has only where it is asked for. */
export async function answerResponses(exchange: Exchange): Promise<void> {
  const { settings, engine, response, fault } = exchange;
  requireRunner(settings, 'generate', 'Responses');
  const body = parseBody(exchange, responseRequestSchema);
  const model = servedModel(settings, body.model);
  if (body.previous_response_id) throw unknownResponse(body.previous_response_id);
  const messages = responseMessages(body);
  const prompt = renderPrompt(messages);
  const inputTokens = countTokens(prompt);
  const budget = replyBudget(settings, inputTokens, body.max_output_tokens ?? null);
  const { name: who, replyTokens: tokens } = settings;
  const reply = composeReply({ who, model, prompt, quoted: lastUserText(messages), tokens });
  const pieces = reply.slice(0, budget);
  const isCut = pieces.length < reply.length;
  const sequence = submit(exchange, { prompt, promptTokens: inputTokens, outputTokens: pieces.length });
  const wire = wireFaults(fault);
  await sendResponse(
    response,
    {
      id: newResponseId(),
      createdSeconds: Math.floor(settings.clock.nowMs() / 1000),
      ...{ model, pieces, isCut, cutEvent: 'response.completed', stream: body.stream === true, headers: {} },
      inputTokens,
      cachedTokens: () => sequence.cachedTokens,
    },
    (onToken) => engine.run(sequence, isCut ? 'length' : 'stop', onToken),
    fault?.kind === 'errorInStream'
      ? {
          ...wire,
          errorInStream: { afterPieces: fault.afterChunks, message: 'EngineCore encountered an issue.' },
        }
      : wire,
  );
}

function unknownResponse(id: string): VllmError {
  return new VllmError(404, 'invalid_request_error', `Response with id '${id}' not found.`, 'response_id');
}
