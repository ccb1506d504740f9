import type { ReplicaPhase } from '@ai-fabric/shared';
import { describe, expect, test } from 'vitest';
import { describeOwnUse, type OwnReplica } from './describe-own-use.js';

const CARD = 'GPU-1';
const replica = (phase: ReplicaPhase, more: Partial<OwnReplica> = {}): OwnReplica => ({
  ...{ deployment: 'qwen', phase, external: false, run: 'c1 5', cards: [CARD], footprintBytes: 6e9 },
  busy: false,
  ...more,
});
const use = (...replicas: OwnReplica[]) => describeOwnUse(CARD, replicas, Number.NEGATIVE_INFINITY, 0);

describe('what of a card is ours', () => {
  test('is nothing where nothing runs', () => {
    const nothing = { kind: 'steady', signature: '', bytes: 0, busy: false };
    expect(use()).toEqual(nothing);
    expect(use(replica('absent'), replica('pulling'), replica('failed'), replica('crash_looping'))).toEqual(
      nothing,
    );
  });

  test('is what a ready engine is known to take', () => {
    expect(use(replica('ready'))).toMatchObject({ kind: 'steady', bytes: 6e9 });
    expect(use(replica('ready', { footprintBytes: null }))).toMatchObject({ bytes: null });
    expect(
      use(replica('ready'), replica('ready', { deployment: 'embed', footprintBytes: 1e9 })),
    ).toMatchObject({ bytes: 7e9 });
    expect(use(replica('ready', { footprintBytes: null }), replica('ready'))).toMatchObject({ bytes: null });
  });

  test('is a little of an engine that sleeps', () => {
    expect(use(replica('parked'))).toMatchObject({ kind: 'steady', bytes: 1024 ** 3 });
  });

  test.each(['creating', 'starting', 'loading', 'warming', 'draining', 'stopping'] as const)(
    'cannot be told while one is %s',
    (phase) => {
      expect(use(replica(phase))).toEqual({ kind: 'moving' });
      expect(use(replica('ready'), replica(phase, { deployment: 'other' }))).toEqual({ kind: 'moving' });
    },
  );

  test('is not what is on another card; what may be anywhere is', () => {
    expect(use(replica('loading', { cards: ['GPU-2'] }))).toMatchObject({ kind: 'steady', bytes: 0 });
    expect(use(replica('loading', { cards: [] }))).toEqual({ kind: 'moving' });
  });

  test('of an engine that others run is not known while it does not answer', () => {
    const external = { external: true, cards: [], footprintBytes: null };
    expect(use(replica('failed', external))).toEqual({ kind: 'moving' });
    expect(use(replica('ready', external))).toMatchObject({ kind: 'steady', bytes: null });
  });

  test('is measured anew with each run', () => {
    const one = use(replica('ready'));
    const other = use(replica('ready', { run: 'c1 9' }));
    expect(one.kind === 'steady' && other.kind === 'steady' && one.signature !== other.signature).toBe(true);
  });

  test('works for us for a moment after its last request', () => {
    const at = (nowMs: number) => describeOwnUse(CARD, [replica('ready')], 10_000, nowMs);
    expect(at(10_000)).toMatchObject({ busy: true });
    expect(at(13_900)).toMatchObject({ busy: true });
    expect(at(14_000)).toMatchObject({ busy: false });
  });
});
