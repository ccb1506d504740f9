import { describe, expect, test } from 'vitest';
import { EVERYTHING } from './feed-filter.js';
import { parseFeedQuery } from './parse-feed-query.js';

const parse = (query: string) => parseFeedQuery(`/api/v1/telemetry${query}`);
const keyOf = (query: string) => {
  const parsed = parse(query);
  return parsed.ok ? parsed.filter.key : parsed.detail;
};

describe('what a subscriber asks for', () => {
  test.each(['', '?', '?kinds=samples,replicas,hosts', '?ticket=aift_x'])('%j is everything', (query) => {
    expect(keyOf(query)).toBe(EVERYTHING.key);
  });

  test('is the same in whatever order and however often it is named', () => {
    expect(keyOf('?hosts=b,a,b&kinds=samples')).toBe(keyOf('?kinds=hosts,samples&hosts=a,b'));
    expect(keyOf('?hosts=a')).not.toBe(keyOf('?hosts=b'));
    expect(keyOf('?kinds=replicas')).not.toBe(keyOf('?kinds=hosts'));
  });

  test('may be to go on', () => {
    expect(parse('?stream=abc-1&resume=7')).toMatchObject({ resume: { stream: 'abc-1', seq: 7 } });
    expect(parse('')).toMatchObject({ resume: null });
  });

  test.each([
    ['?token=secret', 'there is no parameter "token"'],
    ['?hosts=My+Host', '"My Host" is no name'],
    ['?hosts=', 'no name'],
    [`?hosts=${Array.from({ length: 101 }, (_, index) => `h${index}`).join(',')}`, 'more than 100'],
    ['?kinds=hosts,all', '"all" is none of hosts, replicas, samples'],
    ['?resume=7', 'come together'],
    ['?stream=abc', 'come together'],
    ['?stream=abc&resume=-1', 'come together'],
    ['?stream=abc&resume=1e3', 'come together'],
  ])('%s is refused by name', (query, detail) => {
    const parsed = parse(query);
    expect(parsed.ok ? '' : parsed.detail).toContain(detail);
  });
});
