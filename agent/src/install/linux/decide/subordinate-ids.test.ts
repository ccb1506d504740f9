import { describe, expect, it } from 'vitest';
import { chooseSubordinateIds } from './subordinate-ids.js';

const choose = (file: string): string | null => chooseSubordinateIds(file, 'ai-fabric-agent');

describe('the ids of an account’s containers', () => {
  it.each([
    ['nobody has any', ''],
    ['people have the usual ones', 'anna:100000:65536\nben:165536:65536\n'],
    ['another’s end just before', 'anna:1934464:65536\n'],
    ['another’s begin just behind', 'anna:2065536:65536\n'],
    ['a line is none', '# anna:2000000:65536\nanna:2000000\nanna:2000000:\n'],
  ])('are the first of all where %s', (_what, file) => {
    expect(choose(file)).toBe('2000000-2065535');
  });

  it.each([
    ['anna:2000000:65536\n', '2065536-2131071'],
    ['anna:1999999:2\n', '2000001-2065536'],
    ['anna:2065535:1\n', '2065536-2131071'],
    ['ben:2065536:65536\nanna:2000000:65536', '2131072-2196607'],
    ['anna:100000:100000000\n', '100100000-100165535'],
    ['anna:2000000:65536\nben:2131072:65536\n', '2065536-2131071'],
    ['anna:2000000:65536\nben:2131071:65536\n', '2196607-2262142'],
  ])('are nobody else’s: %j', (file, ids) => {
    expect(choose(file)).toBe(ids);
  });

  it('are those that it has', () => {
    expect(choose('anna:100000:65536\nai-fabric-agent:165536:65536\n')).toBeNull();
    expect(choose('ai-fabric-agent-2:165536:65536\n')).not.toBeNull();
  });
});
