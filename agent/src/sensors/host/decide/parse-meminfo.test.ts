import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMeminfo } from './parse-meminfo.js';

const KIB = 1024;

describe('memory of /proc/meminfo', () => {
  it('that is used is what programs cannot have', () => {
    const text =
      'MemTotal:       16000 kB\nMemFree:         1000 kB\nMemAvailable:    9000 kB\nCached: 7000 kB\n';
    expect(parseMeminfo(text)).toEqual({ usedBytes: 7000 * KIB, totalBytes: 16_000 * KIB });
  });

  it('of an old kernel counts free, buffers and cache as available', () => {
    const text = 'MemTotal: 16000 kB\nMemFree: 1000 kB\nBuffers: 500 kB\nCached: 2500 kB\nSwapCached: 9 kB\n';
    expect(parseMeminfo(text)).toEqual({ usedBytes: 12_000 * KIB, totalBytes: 16_000 * KIB });
  });

  it('is never negative', () => {
    expect(parseMeminfo('MemTotal: 10 kB\nMemAvailable: 11 kB\n')?.usedBytes).toBe(0);
  });

  it.each([
    '',
    'MemTotal: 0 kB\nMemAvailable: 0 kB\n',
    'MemTotal: 100 kB\n',
    'MemAvailable: 100 kB\n',
    'MemTotal: x kB',
  ])('is unknown for %j', (text) => {
    expect(parseMeminfo(text)).toBeNull();
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseMeminfo(`MemTotal: 5 kB\n${text}`)));
  });
});
