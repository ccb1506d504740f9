import { describe, expect, it } from 'vitest';
import { bucketOfKey, nameOfKey, sqlUsageKey, usageKey } from './usage-key.js';

describe('the key of a sum', () => {
  it('sorts by dimension, then by bucket, then by name', () => {
    const keys = [
      usageKey('role', 0),
      usageKey('role', 0, 1),
      usageKey('role', 1),
      usageKey('role', 495_000, 20_001),
      usageKey('target', 0),
      usageKey('key', 495_000, 1),
    ];
    expect(keys).toEqual([...keys].sort((a, b) => a - b));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('gives back what it was made of', () => {
    const key = usageKey('key', 495_123, 20_001);
    expect(Number.isSafeInteger(key)).toBe(true);
    expect([bucketOfKey(key), nameOfKey(key)]).toEqual([495_123, 20_001]);
  });

  it('stays in its dimension whatever the time is', () => {
    expect(usageKey('target', -5)).toBe(usageKey('target', 0));
    expect(usageKey('role', 1e12)).toBeLessThan(usageKey('target', 0));
  });

  it('is the same in SQL', () => {
    expect(sqlUsageKey('host', 'hour')).toBe(`(${usageKey('host', 0)} + hour * ${usageKey('role', 1)})`);
  });
});
