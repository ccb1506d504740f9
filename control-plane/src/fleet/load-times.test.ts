import { describeReplica, type ReplicaPhase, type ReplicaStatus } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import type { DeclaredState } from '../declared/declared-state.js';
import { parseFabricText } from '../declared/parse-fabric-text.js';
import type { LiveChange, LiveHost, LiveReplica } from '../live/live-view.js';
import type { PowerObservation, PowerRecords } from '../registry/power-types.js';
import { LoadTimes } from './load-times.js';
import { PowerMemory } from './power-memory.js';

interface Around {
  readonly records?: readonly PowerRecords['loads'][number][];
  /** What the registry held of the replica at the start. */
  readonly seeded?: ReplicaPhase;
}

function open({ records = [], seeded }: Around = {}) {
  const clock = new ManualClock(0);
  const saved: PowerObservation[] = [];
  const store = {
    load: () => ({ hosts: [], proofs: [], wakes: [], loads: records }),
    save: (observation: PowerObservation) => void saved.push(observation),
  };
  const declared = { host: 'wintermute' as string | null };
  let tell: (change: LiveChange) => void = () => undefined;
  const loads = new LoadTimes({
    clock,
    memory: new PowerMemory(store, clock),
    declared: { current: () => declaredOn(declared.host) },
    live: {
      host: (name) => ({ hostId: `id-${name}` }) as LiveHost,
      replicas: () => (seeded === undefined ? [] : [replica(seeded, {}, 'wintermute')]),
      onChange: (listener) => {
        tell = listener;
        return () => undefined;
      },
    },
  });
  const see = (phase: ReplicaPhase, more: Partial<ReplicaStatus> = {}, host = 'wintermute') => {
    tell({ kind: 'replica', replica: replica(phase, more, host) });
  };
  const start = (seconds: number, more: Partial<ReplicaStatus> = {}) => {
    see('starting');
    clock.advance(1_000);
    see('loading', more);
    clock.advance((seconds - 1) * 1_000);
    see('ready');
  };
  return { clock, loads, see, start, saved, declared, tell: (change: LiveChange) => tell(change) };
}

function declaredOn(host: string | null): DeclaredState {
  const deep = `deep: { host: ${host}, task: chat, engine: external, url: 'http://127.0.0.1:1', servedModel: M }`;
  const text = `version: 1\nhosts: { wintermute: {}, armitage: {} }\ndeployments: { ${host === null ? '' : deep} }`;
  const parsed = parseFabricText(text, 'fabric.yaml');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.state;
}

function replica(phase: ReplicaPhase, more: Partial<ReplicaStatus>, host: string): LiveReplica {
  const status = { ...describeReplica({ deployment: 'deep', phase }), ...more };
  return { deployment: 'deep', host, status, phaseSinceMs: 0, reading: null, readingAtMs: null };
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
    const { loads, see, start, declared } = open();
    see('absent');
    start(30);
    declared.host = 'armitage';
    see('absent', {}, 'armitage');
    expect(loads.usualSeconds('deep')).toBeNull();
    expect(loads.usualSeconds('other')).toBeNull();
    declared.host = 'wintermute';
    expect(loads.usualSeconds('deep')).toBe(30);
  });

  it('is forgotten with its declaration, and not because its agent tells of none for a while', () => {
    const { loads, see, start, declared, saved, tell } = open();
    see('absent');
    start(30);
    tell({ kind: 'replicaRemoved', deployment: 'deep' });
    expect(loads.usualSeconds('deep')).toBe(30);
    see('ready');
    declared.host = null;
    tell({ kind: 'replicaRemoved', deployment: 'deep' });
    declared.host = 'wintermute';
    expect(loads.usualSeconds('deep')).toBeNull();
    expect(saved.at(-1)).toMatchObject({ kind: 'loadTimes', record: { seconds: [], toldSeconds: null } });
  });

  it('is known again after a restart, and goes on from there', () => {
    const before = open();
    before.see('absent');
    before.start(30);
    before.see('loading', { usualPhaseSeconds: { p50: 12, p95: 15 } });
    const [record] = before.saved.flatMap((each) => (each.kind === 'loadTimes' ? [each] : [])).slice(-1);
    expect(record).toMatchObject({ hostId: 'id-wintermute', deployment: 'deep' });
    const kept = { hostId: 'id-wintermute', deployment: 'deep', seconds: [30], toldSeconds: 12 };
    expect(record?.record).toEqual({ seconds: [30], toldSeconds: 12 });
    const { loads, see, start } = open({ records: [kept] });
    expect(loads.usualSeconds('deep')).toBe(30);
    see('absent');
    start(50);
    start(60);
    expect(loads.usualSeconds('deep')).toBe(50);
    expect(open({ records: [{ ...kept, seconds: [] }] }).loads.usualSeconds('deep')).toBe(12);
  });

  it('does not count a start that began before the control plane did', () => {
    const { clock, loads, see } = open({ seeded: 'ready' });
    see('loading');
    clock.advance(4_000);
    see('ready');
    expect(loads.usualSeconds('deep')).toBeNull();
  });
});
