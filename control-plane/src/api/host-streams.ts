import type { Clock } from '@ai-fabric/shared';
import { askHost } from './ask-host.js';
import type { HostAnswer, HostCalls, HostRequest } from './host-calls.js';
import { ApiError } from './problem.js';

const MAX_STREAMS = 32;
const BEGIN_DEADLINE_MS = 15_000;

/**
 * Answers of agents that go on for as long as they like, bounded in number. What nobody reads is not fetched; who leaves
 * ends it on the host too.
 */
export class HostStreams {
  readonly #calls: HostCalls;
  readonly #clock: Clock;
  #open = 0;

  constructor(calls: HostCalls, clock: Clock) {
    this.#calls = calls;
    this.#clock = clock;
  }

  /**
   * @param gone aborts when the caller has left
   * @throws ApiError no_tunnel, too_many, not_found, host_failed, host_unanswered
   */
  async open(host: string, request: HostRequest, gone: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    if (this.#open >= MAX_STREAMS) {
      throw new ApiError(
        'too_many',
        `${MAX_STREAMS} answers of hosts are being read already`,
        'end one of them first',
      );
    }
    this.#open += 1;
    const ended = new AbortController();
    const release = once(() => {
      this.#open -= 1;
      gone.removeEventListener('abort', release);
      ended.abort();
    });
    gone.addEventListener('abort', release);
    try {
      if (gone.aborted) release();
      const answer = await askHost(this.#calls, host, request, {
        ...{ signal: ended.signal, clock: this.#clock, deadlineMs: BEGIN_DEADLINE_MS },
      });
      return toStream(answer, release);
    } catch (error) {
      release();
      throw error;
    }
  }
}

/** One chunk for each that is asked for. */
function toStream({ body }: HostAnswer, release: () => void): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const next = await chunks.next();
          if (!next.done) {
            controller.enqueue(next.value);
            return;
          }
          release();
          controller.close();
        } catch (error) {
          release();
          controller.error(error);
        }
      },
      cancel: async () => {
        release();
        await chunks.return?.();
      },
    },
    { highWaterMark: 1 },
  );
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    act();
  };
}
