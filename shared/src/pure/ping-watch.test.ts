import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { PingWatch } from './ping-watch.js';

function watched() {
  const clock = new ManualClock();
  const answers: (() => void)[] = [];
  const heard = { silent: 0 };
  const watch = new PingWatch({
    ...{ clock, everyMs: 5_000, deadlineMs: 6_000 },
    ping: (answered) => answers.push(answered),
    onSilent: () => {
      heard.silent += 1;
    },
  });
  return { clock, answers, heard, watch };
}

describe('PingWatch', () => {
  it('pings on and on while each ping is answered', () => {
    const { clock, answers, heard, watch } = watched();
    for (let round = 0; round < 10; round++) {
      clock.advance(5_000);
      answers.at(-1)?.();
    }
    expect(answers).toHaveLength(10);
    expect(heard.silent).toBe(0);
    watch.end();
    expect(clock.pendingTimers).toBe(0);
  });

  it('tells once of a peer that does not answer, eleven seconds after its last sign', () => {
    const { clock, answers, heard } = watched();
    clock.advance(10_999);
    expect(heard.silent).toBe(0);
    clock.advance(1);
    expect(heard.silent).toBe(1);
    clock.advance(60_000);
    expect(heard.silent).toBe(1);
    expect(answers).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes an answer that comes after its end for nothing', () => {
    const { clock, answers, heard, watch } = watched();
    clock.advance(5_000);
    watch.end();
    answers[0]?.();
    clock.advance(60_000);
    expect(heard.silent).toBe(0);
  });
});
