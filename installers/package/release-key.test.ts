import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readReleaseKey } from './release-key.mjs';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'release-key-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function keep(name: string, content: string): string {
  const file = join(folder, name);
  writeFileSync(file, content, { mode: 0o600 });
  return file;
}

describe('the release key', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();

  it('signs, and its public half proves it', () => {
    const key = readReleaseKey(keep('key.pem', pem));
    const content = Buffer.from('a manifest');
    const signature = Buffer.from(key.sign(content), 'base64');
    expect(verify(null, content, createPublicKey(key.publicPem), signature)).toBe(true);
    expect(key.publicPem).toBe(publicKey.export({ format: 'pem', type: 'spki' }).toString());
  });

  it('is refused where it is of another kind', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const file = keep('ec.pem', other.export({ format: 'pem', type: 'pkcs8' }).toString());
    expect(() => readReleaseKey(file)).toThrow(/another kind than Ed25519 \(ec\).*openssl genpkey/s);
  });

  it('is refused where it is the public half, or none, and nothing of the file is told', () => {
    const half = keep('public.pem', publicKey.export({ format: 'pem', type: 'spki' }).toString());
    expect(() => readReleaseKey(half)).toThrow('no private key');
    const text = keep('text.pem', 'a password in the wrong file');
    expect(() => readReleaseKey(text)).toThrow(/^(?!.*password in the)/s);
  });

  it('is refused where there is no file', () => {
    expect(() => readReleaseKey(join(folder, 'none.pem'))).toThrow('cannot be read (ENOENT)');
  });
});
