import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { CliError } from '../exit-codes.js';
import { verifyArchive } from './verify-archive.js';

const ours = generateKeyPairSync('ed25519');
const theirs = generateKeyPairSync('ed25519');
const OURS = ours.publicKey.export({ format: 'pem', type: 'spki' }).toString();
const PROGRAM = '#!/bin/sh\nexit 0\n';
let folder: string;

function write(name: string, content: string): void {
  writeFileSync(join(folder, name), content);
}

/** Lists what is there, and signs the list. */
function seal(program: string, key: KeyObject | null): void {
  const list = `${createHash('sha256').update(program).digest('hex')}  bin/ai-fabric\n`;
  write('SHA256SUMS', list);
  if (key !== null) write('SHA256SUMS.sig', `${sign(null, Buffer.from(list), key).toString('base64')}\n`);
}

function refusal(key: string | null): CliError {
  try {
    verifyArchive(folder, key);
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'verify-archive-'));
  mkdirSync(join(folder, 'bin'));
  write('bin/ai-fabric', PROGRAM);
  seal(PROGRAM, ours.privateKey);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a program of a release build', () => {
  it('takes an archive that its release key signed', () => {
    expect(verifyArchive(folder, OURS)).toEqual({
      build: expect.stringMatching(/^[0-9a-f]{12}$/),
      proven: true,
    });
  });

  const evil = '#!/bin/sh\nrm -rf /\n';
  test.each<[string, string, () => void]>([
    ['without a signature', 'signature_missing', () => rmSync(join(folder, 'SHA256SUMS.sig'))],
    ['with an empty one', 'signature_missing', () => write('SHA256SUMS.sig', '\n')],
    ['with one that is none', 'signature_wrong', () => write('SHA256SUMS.sig', 'c2lnbmVk\n')],
    ['that another key signed', 'signature_wrong', () => seal(PROGRAM, theirs.privateKey)],
    [
      'whose program somebody changed, and the list with it',
      'signature_wrong',
      () => {
        write('bin/ai-fabric', evil);
        seal(evil, null);
      },
    ],
  ])('refuses one %s', (_, code, spoil) => {
    spoil();
    const error = refusal(OURS);
    expect(error.details).toMatchObject({ code });
    expect(error.exitCode).toBe(4);
    expect(error.message).toContain(folder);
    expect(error.fix).toContain('fetch the archive again');
  });

  it.each<[string, () => void]>([
    ['whose program alone was changed', () => write('bin/ai-fabric', evil)],
    ['to which a file was added', () => write('bin/more', '')],
    ['without a list', () => rmSync(join(folder, 'SHA256SUMS'))],
  ])('refuses one %s', (_, spoil) => {
    spoil();
    expect(refusal(OURS).message).toContain('is not what was packed');
  });
});

describe('a program of a development build', () => {
  it('compares with the list alone, and says that nothing is proven', () => {
    expect(verifyArchive(folder, null).proven).toBe(false);
    rmSync(join(folder, 'SHA256SUMS.sig'));
    expect(verifyArchive(folder, null).proven).toBe(false);
    write('bin/ai-fabric', 'changed');
    expect(refusal(null).message).toContain('bin/ai-fabric is not what it was');
  });
});
