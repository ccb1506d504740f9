import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@ai-fabric/shared/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSecretReader } from './secrets.js';

const onWindows = process.platform === 'win32';
let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'secrets-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function writeSecret(content: string, mode = 0o600): string {
  const file = join(directory, 'key');
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

function readerWith(env: Record<string, string> = {}) {
  const clock = new ManualClock();
  return { clock, reader: createSecretReader({ env, clock }) };
}

describe('a secret in the environment', () => {
  it('is read without the white space around it', () => {
    const { reader } = readerWith({ OPENAI_API_KEY: ' key-1\n' });
    expect(reader.read({ env: 'OPENAI_API_KEY' })).toEqual({ ok: true, value: 'key-1' });
    expect(reader.has({ env: 'OPENAI_API_KEY' })).toBe(true);
  });

  it('that is not set, or empty, is told with the name of the variable', () => {
    const { reader } = readerWith({ EMPTY: '' });
    for (const env of ['OPENAI_API_KEY', 'EMPTY', 'constructor']) {
      expect(reader.read({ env })).toMatchObject({
        ok: false,
        code: 'env_missing',
        detail: expect.stringContaining(env),
      });
      expect(reader.has({ env })).toBe(false);
    }
  });

  it('that no header may hold is refused and not repeated', () => {
    const { reader } = readerWith({ KEY: 'key-1\r\nx-other: yes' });
    const result = reader.read({ env: 'KEY' });
    expect(result).toMatchObject({ ok: false, code: 'malformed' });
    expect(JSON.stringify(result)).not.toContain('key-1');
  });
});

describe('a secret in a file', () => {
  it('is read, and read again when the file was replaced', () => {
    const file = writeSecret('key-1\n');
    const { clock, reader } = readerWith();
    expect(reader.read({ file })).toEqual({ ok: true, value: 'key-1' });
    writeSecret('a-later-key');
    expect(reader.read({ file })).toEqual({ ok: true, value: 'key-1' });
    clock.advance(5_000);
    expect(reader.read({ file })).toEqual({ ok: true, value: 'a-later-key' });
  });

  it('that is missing, empty, too large or no file is told with its path', () => {
    const { reader } = readerWith();
    const missing = join(directory, 'none');
    expect(reader.read({ file: missing })).toEqual({
      ok: false,
      code: 'file_missing',
      detail: `${missing} does not exist; put the key there`,
    });
    expect(reader.read({ file: directory })).toMatchObject({ ok: false });
    expect(readerWith().reader.read({ file: writeSecret('') })).toMatchObject({ code: 'malformed' });
    expect(readerWith().reader.read({ file: writeSecret('x'.repeat(20_000)) })).toMatchObject({
      code: 'malformed',
    });
  });

  it.skipIf(onWindows)('that every user can read is refused with the command that mends it', () => {
    const file = writeSecret('key-1', 0o644);
    expect(readerWith().reader.read({ file })).toEqual({
      ok: false,
      code: 'file_readable_by_others',
      detail: `${file} can be read by every user of this machine; run: chmod 600 ${file}`,
    });
    chmodSync(file, 0o640);
    expect(readerWith().reader.read({ file })).toEqual({ ok: true, value: 'key-1' });
  });
});
