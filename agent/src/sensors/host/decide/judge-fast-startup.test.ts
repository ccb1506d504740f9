import { describe, expect, it } from 'vitest';
import { judgeFastStartup } from './judge-fast-startup.js';

describe('Fast Startup', () => {
  it.each<[hiberboot: number | null, hibernate: number | null, isOn: boolean | null]>([
    [1, 1, true],
    [1, 0, false],
    [0, 1, false],
    [0, 0, false],
    [0, null, false],
    [null, 0, false],
    [1, null, null],
    [null, 1, null],
    [null, null, null],
  ])('with HiberbootEnabled %s and HibernateEnabled %s: %s', (hiberboot, hibernate, isOn) => {
    expect(judgeFastStartup(hiberboot, hibernate)).toBe(isOn);
  });
});
