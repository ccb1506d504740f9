import {
  agentFrameSchema,
  describeReplica,
  emptyHostReading,
  MAX_FRAME_BYTES,
  MAX_SAMPLES_PER_REPORT,
  type Report,
  type TelemetrySample,
} from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { AgentTime } from './agent-time.js';
import { Outbox } from './outbox.js';
import { ReportReader } from './testing/report-reader.js';

function open(bufferBytes = 8 * 1024 * 1024) {
  const clock = new ManualClock();
  const time = new AgentTime(clock, () => clock.monotonicMs());
  const sent: Report[] = [];
  const lines: string[] = [];
  let answer: 'sent' | 'held' | 'too_large' = 'sent';
  const outbox = new Outbox({
    bufferBytes,
    time,
    log: pino({}, { write: (line: string) => void lines.push(line) }),
    send: (report) => {
      if (answer === 'sent') sent.push(structuredClone(report));
      return answer;
    },
  });
  const sample = (changed: Partial<TelemetrySample> = {}): TelemetrySample => ({
    atMs: time.stamp(),
    host: { ...emptyHostReading, cpuRatio: 0.5 },
    gpus: {},
    replicas: {},
    ...changed,
  });
  /** Takes samples for a while, one a second. */
  const pass = (seconds: number): void => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1_000);
      outbox.push(sample());
      outbox.pump();
    }
  };
  return {
    clock,
    time,
    outbox,
    sent,
    lines,
    sample,
    pass,
    answer: (next: typeof answer) => {
      answer = next;
    },
  };
}

const backfills = (sent: Report[]): Report[] => sent.filter(({ backfill }) => backfill === true);

describe('the outbox', () => {
  test('sends nothing without a link, and tells a new one everything', () => {
    const { outbox, sent, pass } = open();
    outbox.tell('issues', []);
    outbox.tell('replicas', []);
    pass(1);
    expect(sent).toEqual([]);
    outbox.linked();
    expect(sent[0]).toMatchObject({ seq: 1, issues: [], replicas: [] });
    expect(sent[0]?.telemetry?.[0]?.host).toEqual({ ...emptyHostReading, cpuRatio: 0.5 });
  });

  test('tells what changed, once', () => {
    const { outbox, sent, pass } = open();
    outbox.tell('issues', []);
    outbox.linked();
    pass(2);
    expect(sent.map((report) => Object.keys(report).sort())).toEqual([
      ['issues', 'seq'],
      ['seq', 'telemetry'],
      ['seq', 'telemetry'],
    ]);
    expect(sent[2]?.telemetry).toEqual([{ atMs: expect.any(Number) }]);
  });

  test('after a link that was down it tells the present first and the past beside it', () => {
    const { outbox, sent, pass } = open();
    pass(3_600);
    outbox.linked();
    expect(sent[0]?.backfill).toBeUndefined();
    expect(sent[0]?.telemetry).toHaveLength(1);
    expect(backfills(sent)).toHaveLength(8);
    for (const { telemetry } of backfills(sent)) expect(telemetry).toHaveLength(MAX_SAMPLES_PER_REPORT);
  });

  test('a backlog does not keep the present waiting, acknowledged or not', () => {
    const { outbox, sent, pass } = open();
    pass(3_600);
    outbox.linked();
    const before = sent.length;
    pass(5);
    const live = sent.slice(before);
    expect(live.map(({ backfill }) => backfill)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('what was never acknowledged is sent again on the next link, with its own time', () => {
    const { outbox, sent, pass } = open();
    outbox.linked();
    pass(3);
    const first = sent.flatMap(({ telemetry = [] }) => telemetry.map(({ atMs }) => atMs));
    outbox.down();
    outbox.linked();
    const again = backfills(sent).flatMap(({ telemetry = [] }) => telemetry.map(({ atMs }) => atMs));
    expect(again).toEqual(first);
  });

  test('what the link does not take now is not lost, nor its number', () => {
    const { outbox, sent, pass, answer } = open();
    outbox.linked();
    answer('held');
    pass(3);
    expect(sent).toEqual([]);
    answer('sent');
    pass(1);
    expect(sent[0]?.seq).toBe(1);
    expect(sent.flatMap(({ telemetry = [] }) => telemetry)).toHaveLength(4);
  });

  test('drops are told', () => {
    const { outbox, sent, pass } = open(64 * 1024);
    pass(1_000);
    outbox.linked();
    expect(outbox.dropped).toBeGreaterThan(0);
    expect(sent[0]?.droppedSamples).toBe(outbox.dropped);
    const before = sent.length;
    pass(1);
    expect(sent[before]).not.toHaveProperty('droppedSamples');
  });

  test('a reading that breaks the rules of the wire is left out and said, and the rest goes on', () => {
    const { outbox, sent, sample, lines } = open();
    outbox.linked();
    outbox.tell('issues', [{ code: 'gpu_lost', subject: '', severity: 'error', detail: '', fix: null }]);
    outbox.push(sample());
    outbox.pump();
    expect(sent).toHaveLength(1);
    expect(sent[0]).toHaveProperty('telemetry');
    expect(sent[0]).not.toHaveProperty('issues');
    expect(lines.filter((line) => line.includes('cannot be sent'))).toHaveLength(1);
  });

  test('a sample that breaks the rules ends one link at most', () => {
    const { outbox, sent, sample, lines, pass } = open();
    outbox.linked();
    pass(1);
    outbox.push(sample({ replicas: { 'No Name': {} as TelemetrySample['replicas'][string] } }));
    outbox.pump();
    // The control plane parts because of it.
    outbox.down();
    sent.length = 0;
    outbox.linked();
    pass(1);
    expect(JSON.stringify(sent)).not.toContain('No Name');
    expect(sent.flatMap(({ telemetry = [] }) => telemetry)).toHaveLength(2);
    expect(outbox.dropped).toBe(1);
    expect(lines.filter((line) => line.includes('cannot be sent'))).toHaveLength(1);
  });

  test('a report that is too large for any frame does not stop the others', () => {
    const { outbox, sent, pass, answer } = open();
    outbox.linked();
    answer('too_large');
    pass(1);
    answer('sent');
    pass(1);
    expect(sent).toHaveLength(1);
    expect(outbox.waiting).toBe(0);
  });

  test('news that does not fit one report goes with the next, and every frame is within its bounds', () => {
    const { outbox, sent, pass } = open();
    const issue = {
      code: 'gpu_lost',
      severity: 'error',
      detail: 'ß'.repeat(500),
      fix: 'ß'.repeat(500),
    } as const;
    outbox.tell(
      'issues',
      Array.from({ length: 64 }, (_, n) => ({ ...issue, subject: `GPU-${n}` })),
    );
    outbox.tell(
      'replicas',
      Array.from({ length: 64 }, (_, n) =>
        describeReplica({ deployment: `d${n}`, phase: 'starting', detail: 'ß'.repeat(500) }),
      ),
    );
    outbox.linked();
    pass(3);
    expect(new Set(sent.flatMap((report) => Object.keys(report)))).toEqual(
      new Set(['seq', 'telemetry', 'issues', 'replicas']),
    );
    for (const body of sent) {
      const frame = JSON.stringify({ id: 'a1', type: 'report', sentAtMs: 0, body });
      expect(Buffer.byteLength(frame)).toBeLessThan(MAX_FRAME_BYTES);
      expect(agentFrameSchema.safeParse(JSON.parse(frame)).success).toBe(true);
    }
  });
});

test('links come and go, acks come late or never: nothing is lost that was not told as dropped, nothing is out of order', () => {
  const action = fc.oneof(
    { weight: 6, arbitrary: fc.constant('sample' as const) },
    { weight: 2, arbitrary: fc.constantFrom('link' as const, 'cut' as const, 'cut_with_loss' as const) },
    { weight: 2, arbitrary: fc.constantFrom('ack' as const, 'hold' as const, 'release' as const) },
  );
  fc.assert(
    fc.property(
      fc.array(action, { maxLength: 250 }),
      fc.constantFrom(4_000, 20_000, 8_000_000),
      (actions, bufferBytes) => {
        const { clock, outbox, sent, sample, answer } = open(bufferBytes);
        const reader = new ReportReader();
        let linked = false;
        let taken = 0;
        let readUpTo = 0;
        const arrive = (): void => {
          for (const report of sent.slice(readUpTo)) reader.read(report);
          readUpTo = sent.length;
        };
        for (const item of actions) {
          if (item === 'sample') {
            clock.advance(1_000);
            outbox.push(sample());
            taken += 1;
            outbox.pump();
          } else if (item === 'link' && !linked) {
            linked = true;
            reader.newLink();
            outbox.linked();
          } else if ((item === 'cut' || item === 'cut_with_loss') && linked) {
            // What was under way is lost with the connection, or arrived and its ack did not.
            if (item === 'cut') arrive();
            else readUpTo = sent.length;
            linked = false;
            outbox.down();
          } else if (item === 'ack' && linked) {
            arrive();
            outbox.acked(sent.at(-1)?.seq ?? 0);
          } else if (item === 'hold' || item === 'release') answer(item === 'hold' ? 'held' : 'sent');
        }
        answer('sent');
        if (linked) outbox.down();
        readUpTo = sent.length;
        reader.newLink();
        outbox.linked();
        for (let round = 0; round < 100; round += 1) {
          arrive();
          outbox.acked(sent.at(-1)?.seq ?? 0);
        }
        expect(outbox.waiting).toBe(0);
        expect(reader.samples.size).toBeGreaterThanOrEqual(taken - outbox.dropped);
        expect(reader.samples.size).toBeLessThanOrEqual(taken);
        if (bufferBytes === 8_000_000) expect(reader.samples.size).toBe(taken);
      },
    ),
    { numRuns: 200 },
  );
});
