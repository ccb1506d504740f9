import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeResume } from './judge-resume.js';

const before = { monotonicMs: 1_000, elapsedMs: 50_000 };
const after = (monotonicMs: number, elapsedMs: number) => ({
  monotonicMs: 1_000 + monotonicMs,
  elapsedMs: 50_000 + elapsedMs,
});

describe('a machine that slept', () => {
  it('is known by a clock that ran on while the other stood', () => {
    expect(judgeResume(before, after(2_000, 3_602_000), null)).toBe(3_600_000);
  });

  it('did not sleep while both clocks go alike, however long nobody looked', () => {
    expect(judgeResume(before, after(600_000, 600_900), null)).toBeNull();
  });

  it('is known by its silence where no clock stands still', () => {
    expect(judgeResume(before, after(60_000, 60_000), 12_000)).toBe(60_000);
    expect(judgeResume(before, after(11_000, 11_000), 12_000)).toBeNull();
  });

  it('never slept less than it could be seen', () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.nat(10_000_000), (awakeMs, asleepMs) => {
        const slept = judgeResume(before, after(awakeMs, awakeMs + asleepMs), null);
        return asleepMs >= 2_000 ? slept === asleepMs : slept === null;
      }),
    );
  });
});
