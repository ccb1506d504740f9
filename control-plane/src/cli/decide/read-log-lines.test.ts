import { describe, expect, test } from 'vitest';
import { formatLogLine, readLogLine } from './read-log-lines.js';

describe('a line of a log', () => {
  test('is printed with its time', () => {
    const line = readLogLine('{"atMs":1700000000123,"stream":"stdout","text":"INFO loading"}');
    expect(line && formatLogLine(line)).toBe('2023-11-14T22:13:20.123Z INFO loading');
    expect(formatLogLine({ atMs: null, stream: 'stderr', text: 'x' })).toBe('x');
  });

  test('cannot command the terminal', () => {
    const text = '\u001b[2J\u001b]0;owned\u0007red\u001b[31m\tand\r\nmore\u0000';
    expect(formatLogLine({ atMs: null, stream: 'stdout', text })).toBe(']0;ownedred    andmore');
  });

  test.each(['', 'garbage', '{"atMs":"x"}', 'null', '[]'])('that is none is passed over: %j', (text) => {
    expect(readLogLine(text)).toBeNull();
  });
});
