import type { Clock } from '@ai-fabric/shared';
import type { ContainerEvent } from './container-engine.js';
import { ContainerEngineError } from './container-engine-error.js';
import { readEvent } from './decide/read-event.js';
import { type EngineCalls, LOOK_DEADLINE_MS } from './engine-calls.js';
import { EventQueue } from './event-queue.js';
import { readJsonLines } from './read-json-lines.js';

/** An engine that is away is looked for soon, then less and less often. */
const RETRY_MS = [250, 500, 1_000, 2_000, 5_000] as const;

interface EventSource {
  readonly calls: EngineCalls;
  readonly clock: Clock;
  /** Ends all streams. */
  readonly closing: AbortSignal;
}

/**
 * Events of all containers, from one connection at a time. They are read on whether or not anybody takes them, so that
 * the engine is never held up: behind a thousand that nobody took, a `resynced` stands for those that were dropped.
 */
export async function* readEvents(
  { calls, clock, closing }: EventSource,
  signal: AbortSignal,
): AsyncGenerator<ContainerEvent> {
  const queue = new EventQueue();
  const ended = new AbortController();
  const giveUp = (): void => ended.abort();
  for (const end of [signal, closing]) end.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted || closing.aborted) giveUp();
  const listening = listen(calls, clock, queue, ended.signal);
  try {
    yield* queue.take(ended.signal);
  } finally {
    for (const end of [signal, closing]) end.removeEventListener('abort', giveUp);
    ended.abort();
    await listening;
  }
}

/** Until the signal: connects, listens, and connects anew. Never rejects. */
async function listen(
  calls: EngineCalls,
  clock: Clock,
  queue: EventQueue,
  signal: AbortSignal,
): Promise<void> {
  let sinceMs: number | null = null;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const stream = await calls.open(
        { doing: 'other', method: 'GET', path: eventsPath(sinceMs), deadlineMs: LOOK_DEADLINE_MS },
        signal,
      );
      failures = 0;
      // From here on nothing is missed; what happened before shows in a list.
      queue.push({ kind: 'resynced' });
      for await (const line of readJsonLines(stream.chunks)) {
        const event = readEvent(line);
        if (event === null) continue;
        sinceMs = Math.max(sinceMs ?? 0, event.atMs);
        queue.push(event);
      }
    } catch (error) {
      // A fault of ours in here would else turn in circles unseen.
      if (!(error instanceof ContainerEngineError)) queue.fail(error);
    }
    if (signal.aborted) return;
    await pause(clock, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] as number, signal);
    failures += 1;
  }
}

function eventsPath(sinceMs: number | null): string {
  const query = new URLSearchParams({ filters: JSON.stringify({ type: ['container'] }) });
  // Whole seconds, which both engines understand: some events come twice, none is left out.
  if (sinceMs !== null) query.set('since', String(Math.floor(sinceMs / 1000)));
  return `/events?${query.toString()}`;
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.after(delayMs, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
