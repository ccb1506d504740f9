import { emptyGpuReading } from '@ai-fabric/shared';
import { afterEach, describe, expect, it } from 'vitest';
import { sampleOf } from '../live/testing/live-fixtures.js';
import { recordsOf } from '../testing/judge-history.js';
import { FleetStage } from './testing/fleet-stage.js';

let stage: FleetStage;
afterEach(() => stage.close());

/** A sample each two seconds. */
async function draws(watts: number | null, forMs: number): Promise<void> {
  for (let atMs = 0; atMs < forMs; atMs += 2_000) {
    const gpus = { 'GPU-1': { ...emptyGpuReading, powerWatts: watts } };
    const sample = { ...sampleOf(stage.clock.nowMs()), gpus };
    stage.live.takeReport('wintermute', { clockSkewMs: 0, samples: [{ sample, backfilled: false }] });
    await stage.advance(2_000);
  }
}

function used() {
  const sum = { awakeSeconds: 0, asleepSeconds: 0, cardJoules: 0 };
  for (const each of stage.saved) {
    if (each.kind !== 'powerUse') continue;
    sum.awakeSeconds += each.awakeSeconds;
    sum.asleepSeconds += each.asleepSeconds;
    sum.cardJoules += each.cardJoules;
  }
  return sum;
}

describe('the power meter', () => {
  it('adds up what the cards draw, and how long a host is awake and asleep', async () => {
    stage = new FleetStage('version: 1\nhosts: { wintermute: { mayBeAway: true } }');
    stage.link('wintermute');
    await draws(250, 600_000);
    expect(used()).toMatchObject({ awakeSeconds: 600, asleepSeconds: 0 });
    expect(used().cardJoules).toBe(250 * 598);
    stage.leave('wintermute', 'suspend');
    await stage.advance(600_000);
    expect(used()).toMatchObject({ awakeSeconds: 600, asleepSeconds: 600 });
    expect(stage.saved.filter(({ kind }) => kind === 'powerUse')).toHaveLength(20);
  });

  it('learns what the cards draw while they serve, and only then', async () => {
    stage = new FleetStage('version: 1\nhosts: { wintermute: {} }');
    stage.link('wintermute');
    const watts = () => stage.fleet.meter.servingWatts('wintermute');
    await draws(30, 60_000);
    expect(watts()).toBeNull();
    stage.use.set('wintermute', { inflight: 1 });
    await draws(300, 10_000);
    expect(watts()).toBe(300);
    await draws(null, 10_000);
    await draws(350, 300_000);
    expect(watts()).toBeCloseTo(350, 3);
    stage.use.delete('wintermute');
    await draws(30, 60_000);
    expect(watts()).toBeCloseTo(350, 3);
  });

  it('remembers that over a restart of the control plane, as it was a minute ago at the latest', async () => {
    stage = new FleetStage('version: 1\nhosts: { wintermute: {} }');
    stage.link('wintermute');
    stage.use.set('wintermute', { inflight: 1 });
    await draws(300, 62_000);
    const kept = stage.saved.filter(({ kind }) => kind === 'hostPower');
    expect(kept).toMatchObject([{ hostId: 'id-wintermute', power: { servingWatts: 300 } }]);
    await draws(300.5, 120_000);
    expect(stage.saved.filter(({ kind }) => kind === 'hostPower')).toHaveLength(1);
    const { saved } = stage;
    stage.close();
    stage = new FleetStage('version: 1\nhosts: { wintermute: {} }', recordsOf(saved));
    expect(stage.fleet.meter.servingWatts('wintermute')).toBeNull();
    stage.link('wintermute');
    expect(stage.fleet.meter.servingWatts('wintermute')).toBe(300);
    stage.use.set('wintermute', { inflight: 1 });
    await draws(400, 2_000);
    expect(stage.fleet.meter.servingWatts('wintermute')).toBe(310);
  });

  it('knows nothing of cards that do not tell, and of hosts that went without a word', async () => {
    stage = new FleetStage('version: 1\nhosts: { wintermute: {} }');
    stage.link('wintermute');
    await draws(null, 60_000);
    stage.leave('wintermute', null);
    await stage.advance(600_000);
    expect(used()).toMatchObject({ asleepSeconds: 0, cardJoules: 0 });
  });
});
