import { describeReplica, type ReplicaPhase, type ReplicaStatus } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import type { LiveChange } from '../live/live-view.js';
import { LoadTimes } from './load-times.js';

function open() {
  const clock = new ManualClock(0);
  let tell: (change: LiveChange) => void = () => undefined;
  const loads = new LoadTimes({
    clock,
    live: {
      onChange: (listener) => {
        tell = listener;
        return () => undefined;
      },
    },
  });
  const see = (phase: ReplicaPhase, more: Partial<ReplicaStatus> = {}, host = 'wintermute') => {
    const status = { ...describeReplica({ deployment: 'deep', phase }), ...more };
    tell({
      kind: 'replica',
      replica: { deployment: 'deep', host, status, phaseSinceMs: 0, reading: null, readingAtMs: null },
    });
  };
  const start = (seconds: number, more: Partial<ReplicaStatus> = {}) => {
    see('starting');
    clock.advance(1_000);
    see('loading', more);
    clock.advance((seconds - 1) * 1_000);
    see('ready');
  };
  return { clock, loads, see, start, tell: (change: LiveChange) => tell(change) };
}

describe('how long an engine takes to get ready', () => {
  it('is the median of the starts that were seen from their beginning', () => {
    const { loads, see, start } = open();
    expect(loads.usualSeconds('deep')).toBeNull();
    see('loading');
    see('ready');
    expect(loads.usualSeconds('deep')).toBeNull();
    for (const seconds of [40, 20, 30]) start(seconds);
    expect(loads.usualSeconds('deep')).toBe(30);
  });

  it('follows what changes, over the last twenty', () => {
    const { loads, see, start } = open();
    see('absent');
    for (let run = 0; run < 20; run += 1) start(30);
    for (let run = 0; run < 11; run += 1) start(90);
    expect(loads.usualSeconds('deep')).toBe(90);
  });

  it('is what its agent tells until one was seen', () => {
    const { loads, see, start } = open();
    see('loading', { usualPhaseSeconds: { p50: 55, p95: 70 } });
    expect(loads.usualSeconds('deep')).toBe(55);
    see('ready', { usualPhaseSeconds: { p50: 1, p95: 1 } });
    expect(loads.usualSeconds('deep')).toBe(55);
    start(30);
    expect(loads.usualSeconds('deep')).toBe(30);
  });

  it('does not count a start that fetches weights, or one that fails', () => {
    const { clock, loads, see, start } = open();
    see('absent');
    const growth = { imageBytes: null, weightsBytes: 5e9, freeBytes: null, detail: 'its weights' };
    start(900, { growth });
    expect(loads.usualSeconds('deep')).toBeNull();
    see('starting');
    clock.advance(5_000);
    see('failed');
    see('ready');
    expect(loads.usualSeconds('deep')).toBeNull();
  });

  it('is of one host and one deployment', () => {
    const { loads, see, start, tell } = open();
    see('absent');
    start(30);
    see('absent', {}, 'armitage');
    expect(loads.usualSeconds('deep')).toBeNull();
    tell({ kind: 'replicaRemoved', deployment: 'deep' });
    expect(loads.usualSeconds('deep')).toBeNull();
    expect(loads.usualSeconds('other')).toBeNull();
  });
});
