import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { unpackRequests } from './decide/request-pack.js';
import type { ToObservationWorker } from './observation-protocol.js';
import type { ObservationThreadEvents } from './observation-thread.js';
import { ThreadedObservationWriter } from './observation-writer.js';
import type { Observation } from './registry-types.js';
import { requestRow } from './testing/request-rows.js';

/** A thread that does nothing by itself: the test answers for it. */
class FakeThread {
  readonly posted: ToObservationWorker[] = [];
  terminated = 0;
  keptAlive = false;
  readonly events: ObservationThreadEvents;

  constructor(events: ObservationThreadEvents) {
    this.events = events;
  }

  post(message: ToObservationWorker): void {
    this.posted.push(message);
    if (message.kind === 'close') this.events.onEnd('closed');
  }

  keepAlive(): void {
    this.keptAlive = true;
  }

  terminate(): void {
    this.terminated += 1;
    this.events.onEnd('terminated');
  }

  get batches() {
    return this.posted.filter((message) => message.kind === 'write');
  }

  written(): void {
    const batchId = this.batches.at(-1)?.batchId ?? -1;
    this.events.onMessage({ kind: 'written', batchId });
  }

  failed(): void {
    const batchId = this.batches.at(-1)?.batchId ?? -1;
    this.events.onMessage({ kind: 'failed', batchId, code: 'registry_full', detail: 'the disk is full' });
  }
}

function setUp(startThread?: (events: ObservationThreadEvents) => FakeThread) {
  const clock = new ManualClock();
  const threads: FakeThread[] = [];
  const lines: { msg: string; droppedNow?: number; reason?: string }[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const start = (events: ObservationThreadEvents) => {
    const thread = startThread ? startThread(events) : new FakeThread(events);
    threads.push(thread);
    return thread;
  };
  const writer = new ThreadedObservationWriter({ startThread: start, clock, log });
  const thread = (): FakeThread => {
    const last = threads.at(-1);
    if (!last) throw new Error('no thread was started');
    return last;
  };
  return { clock, threads, thread, lines, writer };
}

function seen(hostId: string, atMs = 1): Observation {
  return { kind: 'hostSeen', hostId, atMs, agentVersion: null, clockSkewMs: null };
}

describe('the observation writer', () => {
  it('gathers for a quarter of a second and writes one batch at a time', () => {
    const { clock, thread, threads, writer } = setUp();
    writer.enqueue(seen('h1', 1));
    writer.enqueue(seen('h1', 2));
    expect(threads).toHaveLength(0);
    clock.advance(250);
    expect(thread().batches).toMatchObject([{ kind: 'write', batchId: 1, observations: [seen('h1', 2)] }]);
    writer.enqueue(seen('h1', 3));
    clock.advance(1_000);
    expect(thread().batches).toHaveLength(1);
    expect(writer.queuedCount).toBe(2);
    thread().written();
    clock.advance(250);
    expect(thread().batches).toHaveLength(2);
    thread().written();
    expect(writer.queuedCount).toBe(0);
    expect(writer.droppedCount).toBe(0);
  });

  it('writes two hundred at a time, at once while more wait', () => {
    const { clock, thread, writer } = setUp();
    for (let host = 0; host < 450; host += 1) writer.enqueue(seen(`h${host}`));
    clock.advance(250);
    thread().written();
    expect(thread().batches.map((batch) => batch.observations.length)).toEqual([200, 200]);
    thread().written();
    clock.advance(250);
    expect(thread().batches.at(-1)?.observations).toHaveLength(50);
  });

  it('tries a failed batch again twice, then drops and counts it, and goes on', () => {
    const { clock, thread, lines, writer } = setUp();
    writer.enqueue(seen('h1'));
    clock.advance(250);
    thread().failed();
    clock.advance(1_000);
    thread().failed();
    writer.enqueue(seen('h2'));
    clock.advance(2_000);
    expect(thread().batches.map((batch) => batch.batchId)).toEqual([1, 1, 1]);
    thread().failed();
    expect(writer.droppedCount).toBe(1);
    expect(lines).toMatchObject([{ droppedNow: 1, reason: 'the disk is full' }]);
    clock.advance(3_000);
    expect(thread().batches.at(-1)).toMatchObject({ batchId: 2, observations: [seen('h2')] });
    thread().written();
    expect(writer.queuedCount).toBe(0);
  });

  it('says once a minute that it drops, however much it drops', () => {
    const { clock, thread, lines, writer } = setUp();
    const failBatch = () => {
      writer.enqueue(seen('h1'));
      for (let step = 0; step < 3; step += 1) {
        clock.advance(5_000);
        thread().failed();
      }
    };
    for (let batch = 0; batch < 3; batch += 1) failBatch();
    expect(lines.map((line) => line.droppedNow)).toEqual([1]);
    clock.advance(60_000);
    failBatch();
    expect(lines.map((line) => line.droppedNow)).toEqual([1, 3]);
  });

  it('survives the death of its thread: the batch is written by the next one', () => {
    const { clock, thread, threads, writer } = setUp();
    writer.enqueue(seen('h1'));
    clock.advance(250);
    thread().events.onEnd('out of memory');
    clock.advance(1_000);
    expect(threads).toHaveLength(2);
    expect(thread().batches).toMatchObject([{ batchId: 1 }]);
    thread().written();
    expect([writer.queuedCount, writer.droppedCount]).toEqual([0, 0]);
  });

  it('gives up a batch that every thread dies of', () => {
    const { clock, thread, threads, writer } = setUp();
    writer.enqueue(seen('h1'));
    for (let death = 0; death < 3; death += 1) {
      clock.advance(5_000);
      thread().events.onEnd('crashed');
    }
    clock.advance(60_000);
    expect(threads).toHaveLength(3);
    expect([writer.queuedCount, writer.droppedCount]).toEqual([0, 1]);
  });

  it('ends a thread that does not answer, and starts another', () => {
    const { clock, thread, threads, writer } = setUp();
    writer.enqueue(seen('h1'));
    clock.advance(250);
    clock.advance(20_000);
    expect(threads[0]?.terminated).toBe(1);
    clock.advance(1_000);
    expect(threads).toHaveLength(2);
    thread().written();
    expect(writer.droppedCount).toBe(0);
  });

  it('never throws, not even where no thread can be started', () => {
    const { clock, writer, lines } = setUp(() => {
      throw new Error('no more threads');
    });
    writer.enqueue(seen('h1'));
    clock.advance(10_000);
    expect(writer.droppedCount).toBe(1);
    expect(lines[0]?.reason).toContain('no more threads');
  });

  it('writes what waits when it is closed, then ends its thread and takes no more', async () => {
    const { thread, writer, clock } = setUp();
    writer.enqueue(seen('h1'));
    clock.advance(250);
    writer.enqueue(seen('h2'));
    const closed = writer.close();
    thread().written();
    expect(thread().batches.at(-1)?.observations).toEqual([seen('h2')]);
    thread().written();
    await closed;
    expect(thread().posted.at(-1)).toEqual({ kind: 'close' });
    expect(thread().keptAlive).toBe(true);
    writer.enqueue(seen('h3'));
    expect([writer.queuedCount, writer.droppedCount]).toEqual([0, 1]);
  });

  it('is closed within seconds when its thread hangs, and counts what it lost', async () => {
    const { clock, writer } = setUp();
    writer.enqueue(seen('h1'));
    clock.advance(250);
    const closed = writer.close();
    clock.advance(3_000);
    await closed;
    expect([writer.queuedCount, writer.droppedCount]).toEqual([0, 1]);
  });

  it('has old events deleted each hour', () => {
    const { clock, thread, writer } = setUp();
    const hourMs = clock.nowMs() + 3_600_000;
    writer.enqueue(seen('h1'));
    clock.advance(250);
    thread().written();
    clock.advance(3_600_000);
    expect(thread().posted.at(-1)).toEqual({ kind: 'prune', nowMs: hourMs });
  });
});

describe('the request log of the writer', () => {
  it('goes out in the same batches, half of each where both are many, and what is dropped is counted apart', () => {
    const { clock, thread, writer } = setUp();
    for (let index = 0; index < 160; index += 1) {
      writer.enqueue(seen(`h${index}`));
      writer.requestLog.append(requestRow());
    }
    clock.advance(250);
    const [batch] = thread().batches;
    expect([batch?.observations.length, batch?.requests.flatMap(unpackRequests).length]).toEqual([100, 100]);
    expect(writer.requestLog.queuedCount).toBe(160);
    for (let step = 0; step < 3; step += 1) {
      clock.advance(5_000);
      thread().failed();
    }
    expect([writer.droppedCount, writer.requestLog.droppedCount]).toEqual([100, 100]);
    expect(writer.requestLog.queuedCount).toBe(60);
  });

  it('is bounded: the oldest rows make room, a pack at a time', () => {
    const { writer } = setUp();
    for (let index = 0; index < 10_005; index += 1) writer.requestLog.append(requestRow());
    expect([writer.requestLog.queuedCount, writer.requestLog.droppedCount]).toEqual([9_980, 25]);
  });
});
