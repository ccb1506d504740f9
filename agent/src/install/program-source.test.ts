import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findProgram, type ProgramSearch, type ProgramSource } from './program-source.js';

const key = generateKeyPairSync('ed25519');
const RELEASE_KEY = key.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const PROGRAM = '#!/bin/sh\nexit 0\n';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'release-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Release {
  readonly program?: string;
  readonly signed?: boolean;
  readonly os?: 'linux' | 'windows';
}

async function release({ program = PROGRAM, signed = true, os = 'linux' }: Release = {}): Promise<void> {
  const sha256 = createHash('sha256').update(PROGRAM).digest('hex');
  const bytes = Buffer.byteLength(PROGRAM);
  const manifest = JSON.stringify({
    ...{ format: 1, version: '1.2.3', commit: null, protocol: 6, oldestProtocol: 1, keySha256: null },
    builtAt: '2026-11-29T12:00:00Z',
    artefacts: [
      {
        ...{ name: 'agent.gz', kind: 'agent', os, architecture: 'x64', compression: 'gzip', bytes, sha256 },
        files: [{ name: 'ai-fabric-agent', bytes, sha256 }],
      },
    ],
  });
  await writeFile(join(folder, 'manifest.json'), manifest);
  if (signed) {
    const signature = sign(null, Buffer.from(manifest), key.privateKey).toString('base64');
    await writeFile(join(folder, 'manifest.sig'), `${signature}\n`);
  }
  await writeFile(join(folder, 'ai-fabric-agent'), program);
}

const find = (search: Partial<ProgramSearch> = {}): Promise<ProgramSource> =>
  findProgram({
    ...{ release: folder, os: 'linux', names: ['ai-fabric-agent'], own: null, ownVersion: '0.1.0' },
    ...{ releaseKey: RELEASE_KEY, ...search },
  });

describe('a release', () => {
  it('is proven by its signature and the program by its SHA-256', async () => {
    await release();
    const found = await find();
    expect(found).toMatchObject({ ok: true, version: '1.2.3', proof: 'signed', bytes: PROGRAM.length });
    expect(found.ok && found.beside.map((path) => basename(path))).toEqual(['manifest.json', 'manifest.sig']);
    expect(found.ok && found.builtAtMs).toBe(Date.parse('2026-11-29T12:00:00Z'));
  });

  it('is said to be unsigned in a development build', async () => {
    await release({ signed: false });
    expect(await find({ releaseKey: null })).toMatchObject({ ok: true, proof: 'development_build' });
  });

  it.each<[string, Release, RegExp]>([
    ['a tampered program', { program: `${PROGRAM}rm -rf /\n` }, /ai-fabric-agent has \d+ bytes/],
    ['a program of the same length', { program: PROGRAM.replace('0', '1') }, /has the SHA-256/],
    ['no signature', { signed: false }, /not signed/],
    ['a program for another system', { os: 'windows' }, /no agent for this system/],
  ])('is refused with %s', async (_what, made, words) => {
    await release(made);
    const found = await find();
    expect(found).toMatchObject({ ok: false, code: 'release_refused' });
    expect(found.ok || found.detail).toMatch(words);
  });

  it('is refused where its manifest was changed after it was signed', async () => {
    await release();
    await writeFile(join(folder, 'manifest.json'), '{"format":1}');
    expect(await find()).toMatchObject({ ok: false, code: 'release_refused' });
  });

  it('is refused where the manifest or the program is missing', async () => {
    expect(await find()).toMatchObject({ ok: false, detail: expect.stringContaining('no manifest.json') });
    await release();
    await rm(join(folder, 'ai-fabric-agent'));
    expect(await find()).toMatchObject({ ok: false, detail: expect.stringContaining('is not in') });
  });
});

describe('the running program', () => {
  it('is the one, with its own hash', async () => {
    const own = join(folder, 'ai-fabric-agent');
    await writeFile(own, PROGRAM);
    expect(await find({ release: null, own })).toMatchObject({
      ...{ ok: true, path: own, version: '0.1.0', beside: [] },
      sha256: createHash('sha256').update(PROGRAM).digest('hex'),
    });
  });

  it('without a manifest is a development build only where no key was built in', async () => {
    const own = join(folder, 'ai-fabric-agent');
    await writeFile(own, PROGRAM);
    expect(await find({ release: null, own })).toMatchObject({ ok: true, proof: 'no_manifest' });
    expect(await find({ release: null, own, releaseKey: null })).toMatchObject({
      proof: 'development_build',
    });
  });

  it('brings the manifest along that lies beside it', async () => {
    await release();
    const found = await find({ release: null, own: join(folder, 'ai-fabric-agent') });
    expect(found).toMatchObject({ ok: true, version: '1.2.3', proof: 'signed' });
  });

  it('of a checkout is none to install', async () => {
    expect(await find({ release: null })).toMatchObject({ ok: false, code: 'program_missing' });
  });
});
