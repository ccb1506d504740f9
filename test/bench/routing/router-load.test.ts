import { describe, expect, it } from 'vitest';
import { RouterLoad } from './router-load.js';

describe('a busy router that is asked directly', () => {
  it('keeps an exact count through random starts, ends, aborts and crashes', () => {
    expect(new RouterLoad(3).ledgerMismatches(20_000)).toBe(0);
  });

  it('decides in time that can be measured', () => {
    expect(new RouterLoad(3).decisionMicros()).toBeGreaterThan(0);
  });

  it('lets requests come to wait and leave in time that can be measured', () => {
    expect(new RouterLoad(3).holdMicros()).toBeGreaterThan(0);
  });
});
