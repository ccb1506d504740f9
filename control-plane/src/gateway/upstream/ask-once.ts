import type { Clock } from '@ai-fabric/shared';
import { Agent } from 'undici';
import { type AttemptFailure, attemptFailure } from '../decide/attempt-failure.js';
import { classifyError } from './classify-error.js';

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** For all of it, connecting included. */
  readonly timeoutMs: number;
}

export type Reply =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | string[] | undefined>>;
      readonly body: string;
      readonly tookMs: number;
    }
  | { readonly kind: 'failed'; readonly failure: AttemptFailure; readonly tookMs: number };

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * One question outside of any client's request, on a connection of its own, which ends with it: what is measured is
 * the way there too. A redirect is an answer, never followed. Never throws.
 */
export async function askOnce(question: Question, clock: Clock): Promise<Reply> {
  const startedAtMs = clock.monotonicMs();
  const abort = new AbortController();
  const timer = clock.after(question.timeoutMs, () => abort.abort());
  const dispatcher = new Agent({ connections: 1, headersTimeout: 0, bodyTimeout: 0 });
  const tookMs = () => clock.monotonicMs() - startedAtMs;
  let answerBegan = false;
  try {
    const { origin, pathname, search } = new URL(question.url);
    const answer = await dispatcher.request({
      origin,
      path: pathname + search,
      method: question.method,
      headers: { ...question.headers },
      body: question.body,
      signal: abort.signal,
    });
    answerBegan = true;
    const body = await readBounded(answer.body);
    if (body === null) {
      return { kind: 'failed', failure: attemptFailure('answer_too_large', 'too large'), tookMs: tookMs() };
    }
    return { kind: 'answered', status: answer.statusCode, headers: answer.headers, body, tookMs: tookMs() };
  } catch (error) {
    const failure = abort.signal.aborted
      ? attemptFailure('total_timeout', `no whole answer within ${question.timeoutMs / 1000} s`)
      : classifyError(error, answerBegan);
    return { kind: 'failed', failure, tookMs: tookMs() };
  } finally {
    timer.cancel();
    void dispatcher.destroy();
  }
}

/** @returns `null` when it is larger than any answer that is looked for */
async function readBounded(body: AsyncIterable<Buffer>): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
