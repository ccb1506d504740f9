import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replaceFolder } from './replace-folder.mjs';

let home: string;
let folder: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'replace-folder-'));
  folder = join(home, 'deep', 'release');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const fill = (text: string) => (draft: string) => writeFileSync(join(draft, 'manifest.json'), text);

describe('a release folder', () => {
  it('is made with the folders above it', () => {
    replaceFolder(folder, fill('first'));
    expect(readFileSync(join(folder, 'manifest.json'), 'utf8')).toBe('first');
  });

  it('takes the place of an older one whole: nothing of that stays', () => {
    replaceFolder(folder, fill('first'));
    writeFileSync(join(folder, 'old.gz'), '');
    replaceFolder(folder, fill('second'));
    expect(readdirSync(folder)).toEqual(['manifest.json']);
    expect(readFileSync(join(folder, 'manifest.json'), 'utf8')).toBe('second');
    expect(readdirSync(join(folder, '..'))).toEqual(['release']);
  });

  it('stays the older one where the newer could not be filled', () => {
    replaceFolder(folder, fill('first'));
    const fails = () => {
      throw new Error('no space left');
    };
    expect(() => replaceFolder(folder, fails)).toThrow('no space left');
    expect(readFileSync(join(folder, 'manifest.json'), 'utf8')).toBe('first');
    expect(readdirSync(join(folder, '..'))).toEqual(['release']);
  });

  it('never takes the place of something else', () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'thesis.txt'), 'years of work');
    expect(() => replaceFolder(folder, fill('first'))).toThrow('holds something that is no release');
    expect(readFileSync(join(folder, 'thesis.txt'), 'utf8')).toBe('years of work');
  });
});
