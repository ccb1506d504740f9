import { pathToFileURL } from 'node:url';
import { ManualClock } from '@ai-fabric/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { ToReaderWorker } from './reader-protocol.js';
import { type ReaderThreadEvents, readerThreads } from './reader-thread.js';
import { RegistryReader } from './registry-reader.js';
import { TemporaryRegistry } from './testing/temporary-registry.js';

/** A thread that does nothing by itself: the test answers for it. */
class FakeThread {
  readonly posted: ToReaderWorker[] = [];
  terminated = 0;
  readonly events: ReaderThreadEvents;

  constructor(events: ReaderThreadEvents) {
    this.events = events;
  }

  post(message: ToReaderWorker): void {
    this.posted.push(message);
  }

  terminate(): void {
    this.terminated += 1;
  }

  get queries() {
    return this.posted.filter((message) => message.kind === 'query');
  }

  answer(result: unknown): void {
    const queryId = this.queries.at(-1)?.queryId ?? -1;
    this.events.onMessage({ kind: 'answered', queryId, result });
  }
}

function setUp() {
  const clock = new ManualClock();
  const threads: FakeThread[] = [];
  const startThread = (events: ReaderThreadEvents) => {
    const thread = new FakeThread(events);
    threads.push(thread);
    return thread;
  };
  const reader = new RegistryReader({ registryFile: '/data/registry.sqlite', startThread, clock });
  const thread = (): FakeThread => {
    const last = threads.at(-1);
    if (!last) throw new Error('no thread was started');
    return last;
  };
  return { clock, threads, thread, reader };
}

/** How it ended: its result, or the code of what it failed with. */
function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: { code: string }) => error.code);
}

describe('the registry reader', () => {
  it('starts its thread with the first query and asks one thing at a time', async () => {
    const { thread, threads, reader } = setUp();
    expect(threads).toHaveLength(0);
    const first = reader.query('fileSize', {});
    const second = reader.query('fileSize', {});
    expect(thread().queries).toHaveLength(1);
    thread().answer('one');
    expect(thread().queries).toHaveLength(2);
    thread().answer('two');
    expect(await Promise.all([first, second])).toEqual(['one', 'two']);
    expect(threads).toHaveLength(1);
  });

  it('hands on what SQLite said', async () => {
    const { thread, reader } = setUp();
    const asked = reader.query('fileSize', {});
    const { queryId } = thread().queries[0] ?? { queryId: 0 };
    thread().events.onMessage({
      kind: 'failed',
      queryId,
      code: 'registry_corrupt',
      detail: 'is damaged',
      fix: 'restore a backup',
    });
    await expect(asked).rejects.toMatchObject({ code: 'registry_corrupt', fix: 'restore a backup' });
  });

  it('ends a thread whose query takes too long, and the next one has a new thread once it is gone', async () => {
    const { clock, thread, threads, reader } = setUp();
    const slow = outcome(reader.query('fileSize', {}));
    clock.advance(9_000);
    const next = reader.query('fileSize', {});
    clock.advance(1_000);
    expect(await slow).toBe('query_unanswered');
    expect([threads.length, thread().terminated]).toEqual([1, 1]);
    thread().events.onEnd('terminated');
    expect(threads).toHaveLength(2);
    thread().answer('two');
    expect(await next).toBe('two');
  });

  it('refuses at its deadline a query that waits for a thread to be gone', async () => {
    const { clock, thread, threads, reader } = setUp();
    const slow = outcome(reader.query('fileSize', {}));
    clock.advance(10_000);
    const late = outcome(reader.query('fileSize', {}));
    clock.advance(10_000);
    expect(await Promise.all([slow, late])).toEqual(['query_unanswered', 'query_unanswered']);
    thread().events.onEnd('terminated');
    expect(threads).toHaveLength(1);
  });

  it('lets so many wait and refuses the next at once', async () => {
    const { reader, clock } = setUp();
    const waiting = Array.from({ length: 32 }, () => outcome(reader.query('fileSize', {})));
    expect(await outcome(reader.query('fileSize', {}))).toBe('query_unanswered');
    clock.advance(10_000);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['query_unanswered']));
  });

  it('ends its thread after an idle minute and starts another when asked again', async () => {
    const { clock, thread, threads, reader } = setUp();
    const first = reader.query('fileSize', {});
    thread().answer('one');
    await first;
    clock.advance(59_999);
    expect(thread().posted.at(-1)?.kind).toBe('query');
    clock.advance(1);
    expect(thread().posted.at(-1)?.kind).toBe('close');
    const second = reader.query('fileSize', {});
    expect(threads).toHaveLength(1);
    thread().events.onEnd('closed');
    thread().answer('two');
    expect(await second).toBe('two');
    expect(threads).toHaveLength(2);
  });

  it('survives the death of its thread', async () => {
    const { thread, reader } = setUp();
    const lost = outcome(reader.query('fileSize', {}));
    const next = reader.query('fileSize', {});
    thread().events.onEnd('out of memory');
    expect(await lost).toBe('query_unanswered');
    thread().answer('two');
    expect(await next).toBe('two');
  });

  it('refuses what waits when it is closed, and leaves no timer', async () => {
    const { clock, thread, reader } = setUp();
    const lost = outcome(reader.query('fileSize', {}));
    const closed = reader.close();
    expect(await lost).toBe('query_unanswered');
    thread().events.onEnd('terminated');
    await closed;
    expect(await outcome(reader.query('fileSize', {}))).toBe('query_unanswered');
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('the registry reader on a real file', () => {
  let place: TemporaryRegistry;
  afterEach(() => place.remove());

  it('reads while the registry is open, again after a failure', async () => {
    place = new TemporaryRegistry();
    const reader = new RegistryReader({
      registryFile: place.file,
      startThread: readerThreads({ registryFile: place.file }),
      clock: place.clock,
    });
    expect(await outcome(reader.query('fileSize', {}))).toBe('registry_failed');
    const registry = place.open();
    const size = await registry.reader.query('fileSize', {});
    expect(size.fileBytes).toBeGreaterThan(4096);
    expect(await reader.query('fileSize', {})).toEqual(size);
    await reader.close();
  });

  it('rejects where no thread can be started', async () => {
    place = new TemporaryRegistry();
    const reader = new RegistryReader({
      registryFile: place.file,
      startThread: readerThreads({ registryFile: place.file }, pathToFileURL('/none.js')),
      clock: place.clock,
    });
    expect(await outcome(reader.query('fileSize', {}))).toBe('query_unanswered');
    await reader.close();
  });
});
