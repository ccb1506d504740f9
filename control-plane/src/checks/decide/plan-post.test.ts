import { describe, expect, it } from 'vitest';
import { nextPostAfterMs } from './plan-post.js';

describe('a post that came to nothing', () => {
  it('is tried again after waits that grow, each a little by chance', () => {
    const waits = [1, 2, 3, 4].map((failed) => nextPostAfterMs(failed, null, 1));
    expect(waits).toEqual([1_000, 4_000, 16_000, 64_000]);
    expect(nextPostAfterMs(2, 503, 0)).toBe(2_000);
  });

  it('is given up after five tries', () => {
    expect(nextPostAfterMs(5, null, 0.5)).toBeNull();
  });

  it.each([400, 401, 404, 410])('is given up at once when it is answered %i', (status) => {
    expect(nextPostAfterMs(1, status, 0.5)).toBeNull();
  });

  it.each([408, 425, 429, 500, 502, 301])('is tried again when it is answered %i', (status) => {
    expect(nextPostAfterMs(1, status, 0.5)).not.toBeNull();
  });
});
