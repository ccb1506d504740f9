import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takePlace } from './take-place.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'take-place-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a file that takes the place of another', () => {
  it('has its name, and the other is gone', async () => {
    await writeFile(join(folder, 'a'), 'old');
    await writeFile(join(folder, 'a.new'), 'new');
    await takePlace(join(folder, 'a.new'), join(folder, 'a'));
    expect(await readdir(folder)).toEqual(['a']);
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('new');
  });

  it('fails at once where waiting does not help', async () => {
    const missing = takePlace(join(folder, 'a.new'), join(folder, 'a'), 'win32');
    await expect(missing).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('waits on Windows for whoever holds the other one', async () => {
    let tries = 0;
    const rename = async (): Promise<void> => {
      tries += 1;
      if (tries < 3) throw Object.assign(new Error('held'), { code: 'EPERM' });
    };
    await takePlace(join(folder, 'a.new'), join(folder, 'a'), 'win32', rename);
    expect(tries).toBe(3);
    tries = 0;
    const refused = takePlace(join(folder, 'a.new'), join(folder, 'a'), 'linux', rename);
    await expect(refused).rejects.toMatchObject({ code: 'EPERM' });
    expect(tries).toBe(1);
  });
});
