import { describe, expect, it } from 'vitest';
import { ResponseHolders } from './response-holders.js';

describe('ResponseHolders', () => {
  it('forgets first what was used longest ago', () => {
    const holders = new ResponseHolders(2);
    holders.note('one', 'a');
    holders.note('two', 'b');
    expect(holders.find('one')).toBe('a');
    holders.note('three', 'c');
    expect(['one', 'two', 'three'].map((id) => holders.find(id))).toEqual(['a', null, 'c']);
  });

  it('knows the latest answer of an id, and no id of kilobytes', () => {
    const holders = new ResponseHolders(2);
    holders.note('one', 'a');
    holders.note('one', 'b');
    holders.note('x'.repeat(200), 'c');
    expect(holders.find('one')).toBe('b');
    expect(holders.find('x'.repeat(200))).toBeNull();
  });
});
