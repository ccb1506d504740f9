import { ManualClock } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import { Deadlines } from '../deadlines.js';
import { UpstreamPools } from './upstream-pools.js';

describe('UpstreamPools', () => {
  it('keeps one pool for each origin, and lets go of those that nobody uses', async () => {
    const clock = new ManualClock();
    const pools = new UpstreamPools(clock, new Deadlines(clock, 250));
    const busy = pools.get('http://127.0.0.1:1');
    expect(pools.get('http://127.0.0.1:1')).toBe(busy);
    pools.get('http://127.0.0.1:2');
    busy.openCalls++;

    clock.advance(200_000);

    expect(pools.size).toBe(1);
    expect(pools.get('http://127.0.0.1:1')).toBe(busy);
    await pools.close();
    expect(pools.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('stays bounded however many origins are declared one after the other', async () => {
    const clock = new ManualClock();
    const pools = new UpstreamPools(clock, new Deadlines(clock, 250));
    for (let port = 1; port < 1_000; port++) pools.get(`http://127.0.0.1:${port}`);
    expect(pools.size).toBeLessThanOrEqual(128);
    await pools.close();
  });
});
