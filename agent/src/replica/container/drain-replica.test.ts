import type { VllmReplica } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import { TunnelInFlight } from '../../tunnel/in-flight.js';
import { drainReplica } from './drain-replica.js';

const REPLICA = { deployment: 'qwen', drainWithinSeconds: 120 };

/** Drains, and moves the clock in steps of half a second. @returns after how many seconds it was over */
async function drained(
  reach: VllmReplica['reach'],
  load: (seconds: number) => number | null,
  openForSeconds = 0,
): Promise<number> {
  const clock = new ManualClock();
  const inFlight = new TunnelInFlight();
  const end = inFlight.begin('qwen');
  const begunAtMs = clock.monotonicMs();
  const seconds = (): number => (clock.monotonicMs() - begunAtMs) / 1_000;
  let isOver = false;
  const tools = { inFlight, clock };
  const drain = drainReplica(
    tools,
    REPLICA,
    reach === 'direct' ? async () => load(seconds()) : null,
    forever,
  );
  void drain.then(() => {
    isOver = true;
  });
  for (let step = 0; step < 400 && !isOver; step += 1) {
    if (seconds() >= openForSeconds) end();
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    if (!isOver) clock.advance(500);
  }
  await drain;
  return seconds();
}

const forever = new AbortController().signal;

describe('a replica that drains', () => {
  it('is done with the last request of the tunnel', async () => {
    expect(await drained('tunnel', () => 4, 10)).toBeLessThanOrEqual(10.5);
  });

  it('that is reached directly waits for what its engine still works on, and for gauges that are late', async () => {
    expect(await drained('direct', (seconds) => (seconds < 20 ? 3 : 0))).toBeCloseTo(26, 0);
    expect(await drained('direct', () => 0)).toBeCloseTo(6, 0);
  });

  it('waits anew when another request has come', async () => {
    expect(await drained('direct', (seconds) => (seconds >= 4 && seconds < 5 ? 1 : 0))).toBeCloseTo(11, 0);
  });

  it('does not wait for an engine that tells nothing any more', async () => {
    expect(await drained('direct', (seconds) => (seconds < 20 ? 1 : null))).toBeLessThan(24);
  });

  it('waits no longer than it is declared', async () => {
    expect(await drained('direct', () => 1)).toBe(120);
    expect(await drained('tunnel', () => 0, 1_000)).toBe(120);
  });

  it('is left at once on the signal', async () => {
    const stop = new AbortController();
    const tools = { inFlight: new TunnelInFlight(), clock: new ManualClock() };
    const drain = drainReplica(tools, REPLICA, async () => 1, stop.signal);
    await Promise.resolve();
    stop.abort();
    await expect(drain).resolves.toBeUndefined();
  });
});
