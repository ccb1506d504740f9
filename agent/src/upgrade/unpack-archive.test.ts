import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findZipDirectory, readZipDirectory } from './decide/read-zip-directory.js';
import type { WantedFile } from './release-fetch.js';
import { unpackArchive } from './unpack-archive.js';

const PROGRAM = Buffer.alloc(100_000, 'the newer one ');
const NSSM = Buffer.from('the service manager');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unpack-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const wanted = (name: string, content: Buffer): WantedFile => ({
  ...{ name, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') },
});

/** As `zip` writes it; checksums are left out, which nobody here reads. */
function zipOf(files: Readonly<Record<string, Buffer>>, method: 0 | 8 = 8): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const packed = method === 8 ? deflateRawSync(content) : content;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    // An extra field that the directory does not have.
    local.writeUInt16LE(4, 28);
    locals.push(local, Buffer.from(name), Buffer.alloc(4), packed);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry, Buffer.from(name));
    offset += 34 + name.length + packed.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, listed, end]);
}

describe('an archive', () => {
  it.each([8, 0] as const)('of Windows gives each of its files (method %i)', async (method) => {
    const archive = join(folder, 'a.zip');
    writeFileSync(archive, zipOf({ 'nssm.exe': NSSM, 'ai-fabric-agent.exe': PROGRAM }, method));
    for (const [name, content] of [
      ['ai-fabric-agent.exe', PROGRAM],
      ['nssm.exe', NSSM],
    ] as const) {
      await unpackArchive('zip', archive, join(folder, name), wanted(name, content));
      expect(readFileSync(join(folder, name)).equals(content)).toBe(true);
    }
  });

  it('of Linux gives its program', async () => {
    const archive = join(folder, 'a.gz');
    writeFileSync(archive, gzipSync(PROGRAM));
    await unpackArchive('gzip', archive, join(folder, 'p'), wanted('p', PROGRAM));
    expect(readFileSync(join(folder, 'p')).equals(PROGRAM)).toBe(true);
  });

  it.each<[string, 'gzip' | 'zip' | 'xz' | null, Buffer, string]>([
    ['cut off', 'gzip', gzipSync(PROGRAM).subarray(0, 60), 'damaged'],
    ['no archive', 'gzip', Buffer.from('nothing'), 'damaged'],
    ['larger than is said', 'gzip', gzipSync(Buffer.alloc(5_000_000)), 'damaged'],
    ['another one', 'gzip', gzipSync(Buffer.alloc(PROGRAM.length)), 'damaged'],
    ['empty', 'zip', Buffer.alloc(0), 'damaged'],
    ['no archive either', 'zip', Buffer.alloc(1_000, 'PK'), 'damaged'],
    ['without that file', 'zip', zipOf({ other: PROGRAM }), 'damaged'],
    ['with an empty one', 'zip', zipOf({ p: Buffer.alloc(0) }, 0), 'damaged'],
    ['cut off in its directory', 'zip', zipOf({ p: PROGRAM }).subarray(20), 'damaged'],
    ['larger, unpacked, than is said', 'zip', zipOf({ p: Buffer.alloc(5_000_000) }), 'damaged'],
    ['of another kind', 'xz', Buffer.from('xz'), 'wrong_platform'],
    ['not packed', null, PROGRAM, 'wrong_platform'],
  ])('that is %s leaves nothing', async (_what, compression, content, code) => {
    const archive = join(folder, 'a');
    writeFileSync(archive, content);
    const unpacked = unpackArchive(compression, archive, join(folder, 'p'), wanted('p', PROGRAM));
    await expect(unpacked).rejects.toMatchObject({ name: 'UpgradeError', code });
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('of whatever bytes is read or refused', () => {
    const whole = zipOf({ p: NSSM, q: PROGRAM });
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }), (at, value) => {
        const spoilt = Buffer.from(whole);
        spoilt[at] = value;
        const place = findZipDirectory(spoilt);
        if (place === null) return;
        const directory = spoilt.subarray(place.offset, place.offset + place.bytes);
        const entries = readZipDirectory(directory, place.entries);
        expect(entries === null || entries.length === place.entries).toBe(true);
      }),
    );
  });
});
