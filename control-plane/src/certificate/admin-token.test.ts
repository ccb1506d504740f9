import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAdminToken } from './admin-token.js';
import { CredentialError } from './credential-error.js';

const onWindows = process.platform === 'win32';
let directory = '';
let file = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'admin-token-'));
  file = join(directory, 'admin.token');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the admin token', () => {
  it('is made at the first start and kept at later ones', () => {
    expect(openAdminToken(file)).toMatchObject({ file, created: true });
    const token = readFileSync(file, 'utf8');
    expect(token).toMatch(/^aifa_[A-Za-z0-9_-]{43}\n$/);
    expect(openAdminToken(file).created).toBe(false);
    expect(readFileSync(file, 'utf8')).toBe(token);
  });

  it('is verified whole: no part, no longer one, no other', () => {
    const { verify } = openAdminToken(file);
    const token = readFileSync(file, 'utf8').trim();
    expect(verify(token)).toBe(true);
    for (const wrong of ['', 'aifa_', token.slice(0, -1), `${token}x`, ` ${token}`, token.toUpperCase()]) {
      expect(verify(wrong)).toBe(false);
    }
  });

  it.skipIf(onWindows)('is in a file for its owner alone, and refused where others can read it', () => {
    openAdminToken(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    chmodSync(file, 0o640);
    const open = () => openAdminToken(file);
    expect(open).toThrow(`${file}: the admin token can be read by others`);
    expect(open).toThrow(expect.objectContaining({ fix: `run: chmod 600 ${file}` }));
  });

  it('is refused without being repeated when the file holds something else', () => {
    for (const content of [
      '',
      'short',
      `aifa_${'x'.repeat(600)}`,
      'two words that are certainly long enough',
    ]) {
      writeFileSync(file, content, { mode: 0o600 });
      expect(() => openAdminToken(file)).toThrow(/holds no admin token/);
      expect(() => openAdminToken(file)).not.toThrow(/two words|short$/);
    }
  });

  it('that cannot be written is told with the path and the fix', () => {
    const open = () => openAdminToken(join(directory, 'none', 'admin.token'));
    expect(open).toThrow(CredentialError);
    expect(open).toThrow(/none.admin\.token: cannot be read or written \(ENOENT\)/);
  });
});
