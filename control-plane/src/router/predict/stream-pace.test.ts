import { seededRandom } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import type { ReplicaModel } from './replica-model.js';
import { broken, fresh, send, serve } from './testing/model-moves.js';

describe('the pace of streams', () => {
  /** A stream of 4 s at three times the usual pace, and another beside it; whoever decides looks each `lookMs`. */
  function watch(lookMs: number): { readonly model: ReplicaModel; readonly endMs: number } {
    const model = fresh();
    const startMs = serve(model, 80, seededRandom(5));
    const works = [send(model, startMs, 100), send(model, startMs, 100)];
    for (const work of works) work.firstByte(startMs + 90);
    for (let ms = 50; ms <= 4_000; ms += 50) {
      for (const work of works) work.progressed(1);
      if (ms % lookMs === 0) model.load(startMs + 90 + ms);
    }
    const endMs = startMs + 4_090;
    for (const work of works) work.ended(broken, endMs);
    return { model, endMs };
  }

  it('is learned by how long it was seen, however seldom anybody decides', () => {
    const often = watch(50);
    const seldom = watch(4_000);
    const never = watch(5_000);
    const drift = often.model.load(often.endMs).drift;
    expect(drift).toBeGreaterThan(1.8);
    for (const { model, endMs } of [seldom, never]) {
      expect(model.load(endMs).drift / drift).toBeGreaterThan(0.85);
      expect(model.load(endMs).drift / drift).toBeLessThan(1.15);
    }
  });

  it('is old news for who asks a minute later', () => {
    const { model, endMs } = watch(5_000);
    expect(model.load(endMs + 60_000).drift).toBe(1);
  });

  it('is that of the time in which they flowed: what was read or written before them says nothing', () => {
    const model = fresh();
    const startMs = serve(model, 80, seededRandom(5));
    const { iterationSeconds: a, perDecodingSeconds: c } = model.rates;
    const paceMs = 1_000 * (a + c);
    const work = send(model, startMs, 4_000);
    const firstMs = startMs + 2_500;
    work.firstByte(firstMs);
    let events = 0;
    for (; events * paceMs < 900; events++) work.progressed(1);
    expect(model.load(firstMs + events * paceMs).drift).toBe(1);
  });
});
