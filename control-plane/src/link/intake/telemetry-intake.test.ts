import { diffTelemetry, emptyGpuReading, type Report, type TelemetrySample } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleOf } from '../../live/testing/live-fixtures.js';
import { SeenSamples } from './seen-samples.js';
import { TelemetryIntake } from './telemetry-intake.js';

const RECEIVED = 1_700_000_000_000;

/** An agent's end of a link: chains its samples as they are sent. */
class Sender {
  #before: TelemetrySample | null = null;
  #seq = 0;

  report(times: readonly number[], backfill = false): Report {
    this.#seq += 1;
    const telemetry = times.map((atMs) => {
      const sample = sampleOf(atMs, { chat: atMs % 7 });
      const delta = diffTelemetry(this.#before, sample);
      this.#before = sample;
      return delta;
    });
    return { seq: this.#seq, telemetry, backfill };
  }
}

/** Takes a report that was sent at `sentAtMs` of the agent; gives the agent's times of what was new. */
function take(intake: TelemetryIntake, report: Report, sentAtMs = 10_000): number[] {
  const result = intake.take(report, RECEIVED, sentAtMs);
  if (!result.ok) throw new Error(result.detail);
  return result.samples.map(({ sample }) => sample.atMs - RECEIVED + sentAtMs);
}

describe('the telemetry of a link', () => {
  it('becomes whole samples at their place on the server’s clock', () => {
    const intake = new TelemetryIntake(new SeenSamples('i'));
    const result = intake.take(new Sender().report([8_000, 9_500]), RECEIVED, 10_000);
    expect(result).toEqual({
      ok: true,
      duplicates: 0,
      misplaced: 0,
      samples: [
        { sample: { ...sampleOf(8_000, { chat: 8_000 % 7 }), atMs: RECEIVED - 2_000 }, backfilled: false },
        { sample: { ...sampleOf(9_500, { chat: 9_500 % 7 }), atMs: RECEIVED - 500 }, backfilled: false },
      ],
    });
  });

  it('chains live and backfilled samples in the order in which they were sent', () => {
    const sender = new Sender();
    const intake = new TelemetryIntake(new SeenSamples('i'));
    expect(take(intake, sender.report([9_000]))).toEqual([9_000]);
    expect(take(intake, sender.report([1_000, 2_000], true))).toEqual([1_000, 2_000]);
    const result = intake.take(sender.report([9_900]), RECEIVED, 10_000);
    expect(result).toMatchObject({ samples: [{ sample: { replicas: { chat: { running: 9_900 % 7 } } } }] });
  });

  it('that is a duplicate is dropped, and what follows it still understood', () => {
    const seen = new SeenSamples('i');
    take(new TelemetryIntake(seen), new Sender().report([1_000, 2_000]));
    const sender = new Sender();
    const second = new TelemetryIntake(seen);
    const result = second.take(sender.report([1_000, 2_000, 3_000], true), RECEIVED, 10_000);
    expect(result).toMatchObject({
      ok: true,
      duplicates: 2,
      samples: [{ backfilled: true, sample: { replicas: { chat: { running: 3_000 % 7 } } } }],
    });
  });

  it('fills gaps below what was taken live', () => {
    const seen = new SeenSamples('i');
    take(new TelemetryIntake(seen), new Sender().report([1_000, 4_000]));
    const sender = new Sender();
    const second = new TelemetryIntake(seen);
    expect(take(second, sender.report([9_000]))).toEqual([9_000]);
    expect(take(second, sender.report([1_000, 2_000, 3_000, 4_000, 5_000], true))).toEqual([
      2_000, 3_000, 5_000,
    ]);
  });

  it('sent live again is dropped, also when it was forgotten', () => {
    const seen = new SeenSamples('i');
    take(new TelemetryIntake(seen), new Sender().report([1_000, 2_000]));
    seen.forgetThrough(seen.mark);
    expect(take(new TelemetryIntake(seen), new Sender().report([1_500, 2_000, 2_001]))).toEqual([2_001]);
  });

  it('of an age that cannot be is counted and dropped', () => {
    const intake = new TelemetryIntake(new SeenSamples('i'));
    const result = intake.take(new Sender().report([-1e12, 9_000]), RECEIVED, 10_000);
    expect(result).toMatchObject({
      ok: true,
      misplaced: 1,
      samples: [{ sample: { atMs: RECEIVED - 1_000 } }],
    });
  });

  it('that makes up more and more cards is refused', () => {
    const intake = new TelemetryIntake(new SeenSamples('i'));
    const gpus = (from: number) =>
      Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`GPU-${from + index}`, emptyGpuReading]));
    expect(intake.take({ seq: 1, telemetry: [{ atMs: 1, gpus: gpus(0) }] }, RECEIVED, 2).ok).toBe(true);
    expect(intake.take({ seq: 2, telemetry: [{ atMs: 2, gpus: gpus(20) }] }, RECEIVED, 2)).toEqual({
      ok: false,
      detail: 'a sample of 40 cards; at most 32 are taken',
    });
  });
});

describe('what was seen of an agent process', () => {
  it('is each sample once, whatever breaks and is sent again', () => {
    // Links that break at any point; each next one sends again all that was not known to be acknowledged.
    const links = fc.array(fc.record({ live: fc.nat(5), backfill: fc.nat(8), ack: fc.boolean() }), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(links, (given) => {
        const seen = new SeenSamples('i');
        const taken: number[] = [];
        let unacked: number[] = [];
        let nowMs = 0;
        for (const { live, backfill, ack } of given) {
          const intake = new TelemetryIntake(seen);
          const sender = new Sender();
          // Two samples while there was no link.
          unacked.push(nowMs + 1, nowMs + 2);
          nowMs += 2;
          const fresh = Array.from({ length: live }, (_, index) => nowMs + index + 1);
          nowMs += live;
          const again = unacked.slice(0, backfill);
          taken.push(
            ...take(intake, sender.report(fresh), nowMs),
            ...take(intake, sender.report(again, true), nowMs),
          );
          unacked.push(...fresh);
          if (!ack) continue;
          const known = new Set([...fresh, ...again]);
          unacked = unacked.filter((atMs) => !known.has(atMs));
          seen.forgetThrough(seen.mark);
        }
        const rest = new TelemetryIntake(seen);
        taken.push(...take(rest, new Sender().report(unacked, true), nowMs));
        expect([...taken].sort((one, other) => one - other)).toEqual(
          Array.from({ length: nowMs }, (_, index) => index + 1),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('stays small when acks are known to arrive, and bounded when not', () => {
    const seen = new SeenSamples('i');
    for (let atMs = 0; atMs < 20_000; atMs += 1) {
      seen.take(atMs, false);
      if (atMs % 5 === 0) seen.forgetThrough(seen.mark);
    }
    expect(seen.rememberedCount).toBeLessThan(6);
    for (let atMs = 20_000; atMs < 40_000; atMs += 1) seen.take(atMs, false);
    expect(seen.rememberedCount).toBe(8_192);
    expect(seen.take(39_000, true)).toBe(false);
  });

  it('of an earlier link is remembered until it came again, whatever later links acknowledge', () => {
    const seen = new SeenSamples('i');
    seen.take(1, false);
    seen.beginLink();
    seen.take(2, false);
    seen.forgetThrough(seen.mark);
    expect(seen.take(1, true)).toBe(false);
    seen.forgetThrough(seen.mark);
    expect(seen.rememberedCount).toBe(0);
  });

  it('forgets no more than what it was told', () => {
    const seen = new SeenSamples('i');
    seen.take(1, true);
    const mark = seen.mark;
    seen.take(2, true);
    seen.forgetThrough(mark);
    seen.forgetThrough(mark);
    expect([seen.take(1, true), seen.take(2, true)]).toEqual([true, false]);
    seen.forgetThrough(-5);
    expect(seen.rememberedCount).toBe(2);
  });
});
