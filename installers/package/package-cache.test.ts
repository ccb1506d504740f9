import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepFolder } from './package-cache.mjs';

let shelf: string;
beforeEach(() => {
  shelf = join(mkdtempSync(join(tmpdir(), 'package-cache-')), 'shelf');
});
afterEach(() => rmSync(join(shelf, '..'), { recursive: true, force: true }));

const make = (text: string) => (folder: string) => writeFileSync(join(folder, 'file'), text);

describe('what is kept of a packaging', () => {
  it('is made once for each key', async () => {
    const first = await keepFolder(shelf, 'a', make('first'));
    const again = await keepFolder(shelf, 'a', make('again'));
    const other = await keepFolder(shelf, 'b', make('other'));
    expect(again).toBe(first);
    expect(readFileSync(join(again, 'file'), 'utf8')).toBe('first');
    expect(readFileSync(join(other, 'file'), 'utf8')).toBe('other');
  });

  it('is not there at all where making it failed, and is made the next time', async () => {
    const fails = async (folder: string) => {
      make('half')(folder);
      throw new Error('no space left');
    };
    await expect(keepFolder(shelf, 'a', fails)).rejects.toThrow('no space left');
    expect(readdirSync(shelf)).toEqual([]);
    expect(readFileSync(join(await keepFolder(shelf, 'a', make('whole')), 'file'), 'utf8')).toBe('whole');
  });

  it('is forgotten but for the last three; what was used lately stays', async () => {
    for (const [age, key] of ['a', 'b', 'c'].entries()) {
      const folder = await keepFolder(shelf, key, make(key));
      utimesSync(folder, 1_000 + age, 1_000 + age);
    }
    await keepFolder(shelf, 'a', make('anew'));
    await keepFolder(shelf, 'd', make('d'));
    expect(readdirSync(shelf).sort()).toEqual(['a', 'c', 'd']);
  });

  it('loses what a packaging that was broken off left', async () => {
    mkdirSync(join(shelf, '.a-draft'), { recursive: true });
    await keepFolder(shelf, 'b', make('b'));
    expect(existsSync(join(shelf, '.a-draft'))).toBe(false);
  });
});
