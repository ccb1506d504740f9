import type { ServerResponse } from 'node:http';
import type { ChoiceShape } from './choice-shapes.js';
import { EventStream, sendJson, type WireFaults } from './reply-writer.js';

/** Token counts as OpenAI's API reports them. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

export interface Generation {
  /** What every chunk and the whole body begin with. */
  readonly envelope: { readonly id: string; readonly created: number; readonly model: string };
  readonly objects: { readonly whole: string; readonly chunk: string };
  readonly shape: ChoiceShape;
  readonly pieces: readonly string[];
  readonly finishReason: string;
  readonly stream: boolean;
  readonly usageInStream: 'none' | 'last' | 'every';
  /** OpenAI says `usage: null` in the chunks before the last one; vLLM leaves the field out. */
  readonly nullUsage: boolean;
  readonly headers: Record<string, string>;
  usage(completionTokens: number): Usage;
}

/**
 * Brings the tokens about: calls `onToken(index)` for each, and resolves to false when it was ended early.
 * An answer of false from `onToken` ends it.
 */
export type Produce = (onToken: (index: number) => Promise<boolean>) => Promise<boolean>;

/** An error that an engine reports inside a stream that has begun. */
export interface StreamError {
  readonly afterPieces: number;
  readonly body: object;
}

/** Answers with the generation, streamed or whole. Says nothing more once the client is gone. */
export async function sendGeneration(
  response: ServerResponse,
  generation: Generation,
  produce: Produce,
  faults: WireFaults & { readonly errorInStream?: StreamError } = {},
): Promise<void> {
  if (!generation.stream) {
    if (await produce(async () => true)) await sendWhole(response, generation, faults);
    return;
  }
  const stream = new EventStream(response, faults);
  stream.open(generation.headers);
  const base = { ...generation.envelope, object: generation.objects.chunk };
  const chunk = (choice: object, completionTokens: number) => ({
    ...base,
    choices: [choice],
    ...usageOfChunk(generation, completionTokens),
  });
  const finished = await produce(async (index) => {
    if (index === 0) {
      const first = generation.shape.first();
      if (first && !(await stream.send(chunk(first, 0)))) return false;
    }
    if (faults.errorInStream?.afterPieces === index) {
      await stream.send(faults.errorInStream.body);
      await stream.send('[DONE]');
      stream.end();
      return false;
    }
    return stream.send(chunk(generation.shape.piece(generation.pieces[index] ?? '', index), index + 1));
  });
  if (!finished) return;
  const total = generation.pieces.length;
  await stream.send(chunk(generation.shape.last(generation.finishReason), total));
  if (generation.usageInStream !== 'none') {
    await stream.send({ ...base, choices: [], usage: generation.usage(total) });
  }
  await stream.send('[DONE]');
  stream.end();
}

function sendWhole(response: ServerResponse, generation: Generation, faults: WireFaults): Promise<void> {
  const { id, created, model } = generation.envelope;
  const body = {
    id,
    object: generation.objects.whole,
    created,
    model,
    choices: [generation.shape.whole(generation.pieces.join(''), generation.finishReason)],
    usage: generation.usage(generation.pieces.length),
    system_fingerprint: null,
  };
  return sendJson(response, 200, body, { headers: generation.headers, faults });
}

function usageOfChunk(generation: Generation, completionTokens: number): object {
  if (generation.usageInStream === 'every') return { usage: generation.usage(completionTokens) };
  return generation.usageInStream === 'last' && generation.nullUsage ? { usage: null } : {};
}
