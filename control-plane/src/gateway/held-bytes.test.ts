import { describe, expect, it } from 'vitest';
import { HeldBytes } from './held-bytes.js';

describe('HeldBytes', () => {
  it('takes up to its limit, and again what was given back', () => {
    const held = new HeldBytes(100);
    expect(held.take(60)).toBe(true);
    expect(held.take(41)).toBe(false);
    expect(held.bytes).toBe(60);
    expect(held.take(40)).toBe(true);
    held.give(60);
    expect(held.take(60)).toBe(true);
    expect(held.bytes).toBe(100);
  });
});
