import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SecretReference } from '../declared/declared-state.js';
import type { SecretLook } from './decide/take-look.js';
import type { SecretResult } from './secret-result.js';
import { createSecretSources } from './secret-sources.js';
import { createSecretReader, type SecretReader } from './secrets.js';

const onWindows = process.platform === 'win32';
let directory = '';
let clock: ManualClock;
let logLines: string[];
let looks: number;
/** By the clock, from the start of a look to its end. */
let lookTakesMs: number;
let vault: SecretResult;
let reader: SecretReader;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'secrets-'));
  clock = new ManualClock();
  logLines = [];
  looks = 0;
  lookTakesMs = 0;
  vault = { ok: true, value: 'key-of-the-vault' };
});
afterEach(() => {
  reader?.close();
  rmSync(directory, { recursive: true, force: true });
});

function writeSecret(content: string, mode = 0o600): string {
  const file = join(directory, 'key');
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

let settled: Promise<unknown>;

function open(env: Record<string, string> = {}, platform: NodeJS.Platform = process.platform): SecretReader {
  const sources = createSecretSources({ env, platform, keyVault: { read: async () => vault } });
  reader = createSecretReader({
    ...{ env, clock },
    lookAt: (reference, version): Promise<SecretLook | null> => {
      looks++;
      const look = sources(reference, version).then((found) => {
        clock.advance(lookTakesMs);
        return found;
      });
      settled = look;
      return look;
    },
    log: pino({ level: 'info' }, { write: (line: string) => void logLines.push(line) }),
  });
  return reader;
}

/** Time passes, and what is looked at because of it is read. */
async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await settled;
  await new Promise((resolve) => setImmediate(resolve));
}

async function readOnce(reference: SecretReference, env: Record<string, string> = {}): Promise<SecretResult> {
  const once = open(env);
  await once.watch([reference]);
  return once.read(reference);
}

describe('a secret in the environment', () => {
  it('is read without the white space around it', () => {
    open({ OPENAI_API_KEY: ' key-1\n' });
    expect(reader.read({ env: 'OPENAI_API_KEY' })).toEqual({ ok: true, value: 'key-1' });
    expect(reader.has({ env: 'OPENAI_API_KEY' })).toBe(true);
  });

  it('that is not set, or empty, is told with the name of the variable', () => {
    open({ EMPTY: '' });
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
    const result = open({ KEY: 'key-1\r\nx-other: yes' }).read({ env: 'KEY' });
    expect(result).toMatchObject({ ok: false, code: 'malformed' });
    expect(JSON.stringify(result)).not.toContain('key-1');
  });
});

describe('a secret in a file', () => {
  it('is read in the background, never by the one who asks for it', async () => {
    const file = writeSecret('key-1\n');
    open();
    const watched = reader.watch([{ file }]);
    expect(reader.read({ file })).toMatchObject({ ok: false, code: 'not_read_yet' });
    await watched;
    expect(reader.read({ file })).toEqual({ ok: true, value: 'key-1' });
    for (let count = 0; count < 10; count++) reader.read({ file });
    expect(looks).toBe(1);
  });

  it('is read again when the file was replaced, without a restart', async () => {
    const file = writeSecret('key-1\n');
    await open().watch([{ file }]);
    writeSecret('a-later-key');
    await pass(5_000);
    expect(reader.read({ file })).toEqual({ ok: true, value: 'a-later-key' });
    expect(logLines.join('')).toContain('a secret was replaced');
    expect(logLines.join('')).not.toContain('a-later-key');
  });

  it('is looked at each five seconds, though a look takes its time', async () => {
    const file = writeSecret('key-1\n');
    await open().watch([{ file }]);
    looks = 0;
    lookTakesMs = 40;
    for (let count = 0; count < 4; count++) await pass(5_000);
    expect(looks).toBe(4);
  });

  it('that has gone is used as it last was, which is said once', async () => {
    const file = writeSecret('key-1');
    await open().watch([{ file }]);
    rmSync(file);
    for (let count = 0; count < 3; count++) await pass(5_000);
    expect(reader.read({ file })).toEqual({ ok: true, value: 'key-1' });
    expect(reader.failing({ file })).toBe('file_missing');
    expect(logLines).toHaveLength(1);
    expect(JSON.parse(logLines[0] ?? '')).toMatchObject({
      ...{ level: 40, code: 'file_missing', isUsedAsItWas: true, secret: `file ${file}` },
    });
    writeSecret('key-2');
    await pass(5_000);
    expect(reader.read({ file })).toEqual({ ok: true, value: 'key-2' });
    expect(reader.failing({ file })).toBeNull();
    expect(logLines.at(-1)).toContain('can be read again');
  });

  it('that is missing, empty, too large or no file is told with its path', async () => {
    const missing = join(directory, 'none');
    expect(await readOnce({ file: missing })).toEqual({
      ok: false,
      code: 'file_missing',
      detail: `${missing} does not exist; put the key there`,
    });
    expect(await readOnce({ file: directory })).toMatchObject({ ok: false, code: 'file_unreadable' });
    expect(await readOnce({ file: writeSecret('') })).toMatchObject({ code: 'malformed' });
    expect(await readOnce({ file: writeSecret('x'.repeat(20_000)) })).toMatchObject({ code: 'malformed' });
  });

  it.skipIf(onWindows)('that every user can read is refused with the command that mends it', async () => {
    const file = writeSecret('key-1', 0o644);
    expect(await readOnce({ file })).toEqual({
      ok: false,
      code: 'file_readable_by_others',
      detail: `${file} can be read by every user of this machine; run: chmod 600 ${file}`,
    });
    chmodSync(file, 0o640);
    await pass(5_000);
    expect(reader.read({ file })).toEqual({ ok: true, value: 'key-1' });
    // Opened to others later: whoever did it, the key may be known by now.
    chmodSync(file, 0o644);
    await pass(5_000);
    expect(reader.read({ file })).toMatchObject({ ok: false, code: 'file_readable_by_others' });
  });

  it('has no mode on Windows', async () => {
    const file = writeSecret('key-1', 0o644);
    await open({}, 'win32').watch([{ file }]);
    expect(reader.read({ file })).toEqual({ ok: true, value: 'key-1' });
  });
});

describe('a credential of systemd', () => {
  it('is read from the directory that systemd made', async () => {
    mkdirSync(join(directory, 'credentials'));
    writeFileSync(join(directory, 'credentials', 'openai'), 'key-1\n', { mode: 0o400 });
    const env = { CREDENTIALS_DIRECTORY: join(directory, 'credentials') };
    expect(await readOnce({ credential: 'openai' }, env)).toEqual({ ok: true, value: 'key-1' });
    expect(await readOnce({ credential: 'other' }, env)).toMatchObject({ code: 'file_missing' });
  });

  it('where there are none is told with the line that mends it', async () => {
    expect(await readOnce({ credential: 'openai' })).toMatchObject({
      code: 'credentials_missing',
      detail: expect.stringContaining('LoadCredential=openai:'),
    });
  });
});

describe('a secret of a vault', () => {
  const reference = { azureKeyVault: { vault: 'https://v.vault.azure.net', secret: 'openai' } };

  it('is asked for again after five minutes, and used as it was while the vault fails', async () => {
    await open().watch([reference]);
    expect(reader.read(reference)).toEqual({ ok: true, value: 'key-of-the-vault' });
    for (let count = 0; count < 59; count++) await pass(5_000);
    expect(looks).toBe(1);
    vault = { ok: false, code: 'vault_unreachable', detail: 'status 503' };
    await pass(5_000);
    expect(looks).toBe(2);
    expect(reader.read(reference)).toEqual({ ok: true, value: 'key-of-the-vault' });
    vault = { ok: true, value: 'a-later-key' };
    await pass(30_000);
    expect(reader.read(reference)).toEqual({ ok: true, value: 'a-later-key' });
    expect(logLines).toHaveLength(2);
  });

  it('is forgotten when nobody declares it any more', async () => {
    await open().watch([reference]);
    await reader.watch([]);
    expect(reader.has(reference)).toBe(false);
    await pass(600_000);
    expect(looks).toBe(1);
  });
});
