import { expect, test } from 'vitest';
import type { ContainerEvent } from './container-engine.js';
import { EventQueue } from './event-queue.js';

const happening = (id: string): ContainerEvent => ({
  ...{ kind: 'start', id, name: 'one', labels: {}, atMs: 1, exitCode: null },
});

async function takeAll(queue: EventQueue, count: number): Promise<ContainerEvent[]> {
  const stop = new AbortController();
  const taken: ContainerEvent[] = [];
  for await (const event of queue.take(stop.signal)) {
    taken.push(event);
    if (taken.length === count) stop.abort();
  }
  return taken;
}

test('events are taken in their order', async () => {
  const queue = new EventQueue();
  queue.push(happening('a'));
  queue.push(happening('b'));
  expect(await takeAll(queue, 2)).toEqual([happening('a'), happening('b')]);
});

test('one who waits gets the next', async () => {
  const queue = new EventQueue();
  const taking = takeAll(queue, 1);
  queue.push(happening('a'));
  expect(await taking).toEqual([happening('a')]);
});

test('ten thousand that nobody takes are a call to list anew, and the latest', async () => {
  const queue = new EventQueue();
  for (let at = 1; at <= 10_000; at += 1) queue.push(happening(String(at)));
  const first = await takeAll(queue, 1);
  expect(first).toEqual([{ kind: 'resynced' }]);
  const stop = new AbortController();
  const left: ContainerEvent[] = [];
  for await (const event of queue.take(stop.signal)) {
    left.push(event);
    if ('id' in event && event.id === '10000') stop.abort();
  }
  expect(left.length).toBeLessThanOrEqual(1_000);
});

test('a fault of the listener reaches the taker', async () => {
  const queue = new EventQueue();
  queue.fail(new Error('a bug'));
  await expect(takeAll(queue, 1)).rejects.toThrow('a bug');
});
