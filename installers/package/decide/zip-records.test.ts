import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { zipDirectory, zipLocalHeader } from './zip-records.mjs';

const at = new Date('2026-11-29T12:34:56Z');
const member = { name: 'ai-fabric-agent.exe', crc32: 1, bytes: 10, packedBytes: 5 };

describe('a zip archive', () => {
  it('names each member ahead of its bytes and again at its end', () => {
    const head = zipLocalHeader(member, at);
    expect(head.readUInt32LE(0)).toBe(0x0403_4b50);
    expect(head.toString('latin1', 30)).toBe('ai-fabric-agent.exe');
    const end = zipDirectory([{ member, offset: 0 }], 100, at);
    expect(end.readUInt32LE(0)).toBe(0x0201_4b50);
    expect(end.toString('latin1', 46, 46 + 19)).toBe('ai-fabric-agent.exe');
    expect(end.readUInt32LE(46 + 19)).toBe(0x0605_4b50);
  });

  it('tells the time in the way of DOS: two seconds at best', () => {
    const head = zipLocalHeader(member, at);
    expect(head.readUInt16LE(10)).toBe((12 << 11) | (34 << 5) | 28);
    expect(head.readUInt16LE(12)).toBe((46 << 9) | (11 << 5) | 29);
  });

  it('is refused beyond the 4 GiB of its form', () => {
    expect(() => zipLocalHeader({ ...member, bytes: 2 ** 32 }, at)).toThrow('4 GiB');
    expect(() => zipDirectory([], 2 ** 32, at)).toThrow('4 GiB');
  });

  it('is read by another reader', ({ skip }) => {
    if (spawnSync('python3', ['--version']).status !== 0) skip('Python, which reads it, is not here');
    const folder = mkdtempSync(join(tmpdir(), 'zip-'));
    try {
      const parts: Buffer[] = [];
      const members = ['one.exe', 'two.exe'].map((name) => {
        const content = Buffer.from(`the program ${name}`);
        const packed = deflateRawSync(content);
        const each = { name, crc32: crc32(content), bytes: content.length, packedBytes: packed.length };
        const offset = parts.reduce((sum, part) => sum + part.length, 0);
        parts.push(zipLocalHeader(each, at), packed);
        return { member: each, offset };
      });
      const offset = parts.reduce((sum, part) => sum + part.length, 0);
      const file = join(folder, 'a.zip');
      writeFileSync(file, Buffer.concat([...parts, zipDirectory(members, offset, at)]));
      const script =
        'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip(), [z.read(n).decode() for n in z.namelist()], z.infolist()[0].date_time)';
      const read = spawnSync('python3', ['-c', script, file], { encoding: 'utf8' });
      expect(read.stdout.trim()).toBe(
        "None ['the program one.exe', 'the program two.exe'] (2026, 11, 29, 12, 34, 56)",
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
