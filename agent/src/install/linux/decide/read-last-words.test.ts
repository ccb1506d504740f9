import { describe, expect, it, test } from 'vitest';
import { readLastWords } from './read-last-words.js';

const entry = (pid: number, text: unknown): string => JSON.stringify({ _PID: String(pid), MESSAGE: text });
const words = (...entries: readonly string[]): string | null => readLastWords(`${entries.join('\n')}\n`);
const pino = (level: number, msg: string, more = {}): string => JSON.stringify({ level, msg, ...more });

describe('the last words of a service', () => {
  it('are what its last process complained of, and nothing of one before or of systemd', () => {
    expect(
      words(
        entry(7, 'error: of one before'),
        entry(8, pino(30, 'agent: started')),
        entry(8, 'error: agent.json: cannot be read (EACCES).'),
        entry(1, 'ai-fabric-agent.service: Main process exited, code=exited, status=1/FAILURE'),
      ),
    ).toBe('error: agent.json: cannot be read (EACCES).');
  });

  it('are the message of a line of JSON, with what was behind it', () => {
    const fatal = pino(60, 'agent: an error that nobody took', {
      err: { message: 'no such file', stack: 'x' },
    });
    expect(words(entry(8, fatal), entry(8, pino(30, 'agent: stopping')))).toBe(
      'agent: an error that nobody took: no such file',
    );
  });

  it('are those of the process before where the last one has only started', () => {
    expect(words(entry(7, 'error: no.'), entry(8, pino(30, 'agent: started')))).toBe('error: no.');
  });

  it('are the error above a stack, else the last line', () => {
    expect(
      words(entry(8, 'TypeError: x is not a function'), entry(8, '    at main.js:1'), entry(8, 'Node')),
    ).toBe('TypeError: x is not a function');
    expect(
      words(entry(9, 'ai-fabric-agent.service: Failed at step EXEC spawning /opt/a: No such file')),
    ).toContain('Failed at step EXEC');
  });

  it('are one line of a bounded length that steers no terminal and holds no secret', () => {
    expect(words(entry(8, 'error: \u001b[31mred\nand more'))).toBe('error:  [31mred and more');
    expect(words(entry(8, `error: ${'x'.repeat(5_000)}`))).toHaveLength(300);
    expect(words(entry(8, 'error: aifj_abcdefgh.c2VjcmV0.pin at https://me:word@proxy:3128'))).toBe(
      'error: «masked» at https://«masked»@proxy:3128',
    );
  });

  test.each([[''], ['{'], ['no json'], [entry(1, 'Started.')], [entry(8, [1, 2])], [entry(8, null)]])(
    'are none in %j',
    (journal) => expect(readLastWords(journal)).toBeNull(),
  );
});
