import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { EventStream, sendJson, type WireFaults } from './reply-writer.js';
import type { Produce } from './send-generation.js';

export function newResponseId(): string {
  return `resp_${randomUUID().replaceAll('-', '')}`;
}

/** An answer of `/responses`. */
export interface ResponseGeneration {
  readonly id: string;
  readonly createdSeconds: number;
  readonly model: string;
  readonly pieces: readonly string[];
  /** It was cut by `max_output_tokens`. */
  readonly isCut: boolean;
  /** What the last event of a cut one is called: `response.incomplete` by OpenAI, as any other by vLLM. */
  readonly cutEvent: 'response.incomplete' | 'response.completed';
  readonly stream: boolean;
  readonly headers: Record<string, string>;
  readonly inputTokens: number;
  readonly cachedTokens: () => number;
}

export interface ResponseFaults extends WireFaults {
  /** After so many pieces the stream ends with this as its error event. */
  readonly errorInStream?: { readonly afterPieces: number; readonly message: string };
}

/** Answers with the generation, streamed or whole. Says nothing more once the client is gone. */
export async function sendResponse(
  response: ServerResponse,
  generation: ResponseGeneration,
  produce: Produce,
  faults: ResponseFaults = {},
): Promise<void> {
  const reply = new ResponseShape(generation);
  if (!generation.stream) {
    const { headers } = generation;
    if (await produce(async () => true)) await sendJson(response, 200, reply.whole(), { headers, faults });
    return;
  }
  const stream = new EventStream(response, faults);
  stream.open(generation.headers);
  let sequenceNumber = 0;
  const send = ({ type, ...data }: { readonly type: string }): Promise<boolean> =>
    stream.sendTyped({ type, ...data, ...{ sequence_number: sequenceNumber++ } });
  for (const event of reply.firstEvents()) if (!(await send(event))) return;
  const finished = await produce(async (index) => {
    if (faults.errorInStream?.afterPieces === index) {
      const { message } = faults.errorInStream;
      await send({ type: 'error', ...{ code: 'server_error', message, param: null } });
      stream.end();
      return false;
    }
    return send(reply.piece(generation.pieces[index] ?? ''));
  });
  if (!finished) return;
  for (const event of reply.lastEvents()) if (!(await send(event))) return;
  stream.end();
}

class ResponseShape {
  readonly #generation: ResponseGeneration;
  readonly #text: string;
  readonly #place = { item_id: `msg_${randomUUID().replaceAll('-', '')}`, output_index: 0, content_index: 0 };

  constructor(generation: ResponseGeneration) {
    this.#generation = generation;
    this.#text = generation.pieces.join('');
  }

  whole(): object {
    const { pieces, isCut, inputTokens, cachedTokens } = this.#generation;
    return {
      ...this.#response(isCut ? 'incomplete' : 'completed'),
      output: [this.#item()],
      usage: {
        input_tokens: inputTokens,
        input_tokens_details: { cached_tokens: cachedTokens() },
        output_tokens: pieces.length,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: inputTokens + pieces.length,
      },
    };
  }

  firstEvents(): { readonly type: string }[] {
    const response = this.#response('in_progress');
    const item = { ...this.#item(), status: 'in_progress', content: [] };
    return [
      { type: 'response.created', ...{ response } },
      { type: 'response.in_progress', ...{ response } },
      { type: 'response.output_item.added', ...{ output_index: 0, item } },
      { type: 'response.content_part.added', ...this.#place, ...{ part: textPart('') } },
    ];
  }

  piece(delta: string): { readonly type: string } {
    return { type: 'response.output_text.delta', ...this.#place, ...{ delta, logprobs: [] } };
  }

  lastEvents(): { readonly type: string }[] {
    const { isCut, cutEvent } = this.#generation;
    const text = this.#text;
    return [
      { type: 'response.output_text.done', ...this.#place, ...{ text, logprobs: [] } },
      { type: 'response.content_part.done', ...this.#place, ...{ part: textPart(text) } },
      { type: 'response.output_item.done', ...{ output_index: 0, item: this.#item() } },
      { type: isCut ? cutEvent : 'response.completed', ...{ response: this.whole() } },
    ];
  }

  #item(): object {
    const status = this.#generation.isCut ? 'incomplete' : 'completed';
    return {
      ...{ id: this.#place.item_id, type: 'message', role: 'assistant', status },
      content: [textPart(this.#text)],
    };
  }

  #response(status: 'in_progress' | 'completed' | 'incomplete'): object {
    const { id, createdSeconds, model } = this.#generation;
    return {
      id,
      object: 'response',
      created_at: createdSeconds,
      status,
      error: null,
      incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
      instructions: null,
      metadata: {},
      model,
      output: [],
      parallel_tool_calls: true,
      previous_response_id: null,
      temperature: 1,
      text: { format: { type: 'text' } },
      tool_choice: 'auto',
      tools: [],
      top_p: 1,
      truncation: 'disabled',
      usage: null,
    };
  }
}

function textPart(text: string): object {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}
