import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readZip } from '../../test/harness/read-zip.js';
import { gzipped, measureBytes, measureFile, writeTarGzip, zipped } from './archives.mjs';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'archives-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = new Date('2026-01-01T00:00:00Z');
const program = Buffer.from('#!/bin/sh\necho hello\n'.repeat(1_000));

describe('an archive', () => {
  it('of one file is that file, and the same each time', async () => {
    expect(gunzipSync(await gzipped(program))).toEqual(program);
    expect(await gzipped(program)).toEqual(await gzipped(program));
  });

  it('of Windows holds its files', async () => {
    const archive = await zipped(
      [
        { name: 'ai-fabric-agent.exe', content: program },
        { name: 'nssm.exe', content: Buffer.alloc(0) },
      ],
      at,
    );
    const files = readZip(archive);
    expect([...files.keys()]).toEqual(['ai-fabric-agent.exe', 'nssm.exe']);
    expect(files.get('ai-fabric-agent.exe')).toEqual(program);
    expect(files.get('nssm.exe')).toHaveLength(0);
  });

  it.skipIf(process.platform === 'win32')(
    'of folders is unpacked by any tar, with modes and one time',
    async () => {
      const source = join(folder, 'program');
      writeFileSync(source, program);
      const members = [
        { name: 'a/bin/program', mode: 0o755, content: { path: source } },
        { name: 'a/lib/deep/text', mode: 0o644, content: Buffer.from('text') },
      ];
      const file = join(folder, 'a.tar.gz');
      await writeTarGzip(file, members, 1_767_225_600);
      const first = readFileSync(file);
      await writeTarGzip(file, members, 1_767_225_600);
      expect(readFileSync(file)).toEqual(first);

      const unpacked = join(folder, 'unpacked');
      mkdirSync(unpacked);
      execFileSync('tar', ['-xzf', file, '-C', unpacked]);
      expect(readFileSync(join(unpacked, 'a/bin/program'))).toEqual(program);
      expect(readFileSync(join(unpacked, 'a/lib/deep/text'), 'utf8')).toBe('text');
      expect(statSync(join(unpacked, 'a/bin/program')).mode & 0o777).toBe(0o755);
      expect(statSync(join(unpacked, 'a/lib/deep/text')).mtimeMs).toBe(1_767_225_600_000);
    },
  );
});

describe('a file', () => {
  it('is measured as its bytes are', async () => {
    const file = join(folder, 'measured');
    writeFileSync(file, program);
    const expected = { bytes: program.length, sha256: createHash('sha256').update(program).digest('hex') };
    expect(await measureFile(file)).toEqual(expected);
    expect(measureBytes(program)).toEqual(expected);
  });

  it('that is not there is an error, not an empty file', async () => {
    await expect(measureFile(join(folder, 'none'))).rejects.toThrow('ENOENT');
  });
});
