import { describe, expect, it } from 'vitest';
import { readVariables, setVariables } from './variables.js';

const FILE = `# Settings of the control plane
AI_FABRIC_HOST=127.0.0.1,100.64.0.1
#AI_FABRIC_PORT=8000

OPENAI_API_KEY="sk-\\"1\\""
OTHER='as it is'
`;

describe('a file of variables', () => {
  it('is read as systemd reads it: comments are none, quotes are not part, the last one counts', () => {
    expect(readVariables(`${FILE}\nAI_FABRIC_HOST = ::1 \nnot a line\n=x`)).toEqual({
      AI_FABRIC_HOST: '::1',
      OPENAI_API_KEY: 'sk-"1"',
      OTHER: 'as it is',
    });
  });

  it('keeps what is not changed, to the letter', () => {
    const changed = setVariables(FILE, { AI_FABRIC_HOST: '127.0.0.1', AI_FABRIC_PORT: '4001' });
    expect(changed).toBe(
      `${FILE.replace('127.0.0.1,100.64.0.1', '127.0.0.1').trimEnd()}\nAI_FABRIC_PORT=4001\n`,
    );
    expect(setVariables(FILE, {})).toBe(FILE);
  });

  it('loses a name that is to go, and one that stood there twice stands there once', () => {
    expect(setVariables('A=1\nB=2\nA=3\n', { A: '4', B: null })).toBe('A=4\n');
    expect(setVariables('', { A: '1' })).toBe('\nA=1\n'.trimStart());
  });

  it('gives back every value that was put in', () => {
    for (const value of ['plain', 'with space', 'a"b', 'a\\b', '$HOME', '`x`', "it's", '#no', '']) {
      expect(readVariables(setVariables('', { NAME: value }))).toEqual({ NAME: value });
    }
  });
});
