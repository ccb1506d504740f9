import { describe, expect, it } from 'vitest';
import type { Observation } from '../registry-types.js';
import { ObservationQueue } from './observation-queue.js';

function seen(hostId: string, atMs: number, agentVersion: string | null = null): Observation {
  return { kind: 'hostSeen', hostId, atMs, agentVersion, clockSkewMs: null };
}

function event(hostId: string, atMs: number): Observation {
  return { kind: 'hostEvent', hostId, atMs, event: 'late', detail: null };
}

describe('what waits to be written', () => {
  it('is the latest of each host and kind, with what an earlier one alone knew', () => {
    const queue = new ObservationQueue({ latest: 10, events: 10, telemetry: 10 });
    queue.add(seen('h1', 1, '0.1.0'));
    queue.add({ kind: 'hostIssues', hostId: 'h1', atMs: 1, issues: [] });
    queue.add(seen('h2', 2));
    queue.add(seen('h1', 3));
    expect(queue.size).toBe(3);
    expect(queue.take(10)).toEqual([
      seen('h1', 3, '0.1.0'),
      { kind: 'hostIssues', hostId: 'h1', atMs: 1, issues: [] },
      seen('h2', 2),
    ]);
    expect(queue.size).toBe(0);
  });

  it('is taken in batches, events in their order and first', () => {
    const queue = new ObservationQueue({ latest: 10, events: 10, telemetry: 10 });
    queue.add(seen('h1', 1));
    for (const atMs of [1, 2, 3]) queue.add(event('h1', atMs));
    expect(queue.take(2)).toEqual([event('h1', 1), event('h1', 2)]);
    expect(queue.take(2)).toEqual([event('h1', 3), seen('h1', 1)]);
    expect(queue.take(2)).toEqual([]);
  });

  it('is bounded: one more host is turned away, one more event pushes out the oldest', () => {
    const queue = new ObservationQueue({ latest: 1, events: 1, telemetry: 10 });
    expect([queue.add(seen('h1', 1)), queue.add(seen('h2', 1)), queue.add(seen('h1', 2))]).toEqual([0, 1, 0]);
    expect([queue.add(event('h1', 1)), queue.add(event('h1', 2))]).toEqual([0, 1]);
    expect(queue.take(10)).toEqual([event('h1', 2), seen('h1', 2)]);
  });
});
