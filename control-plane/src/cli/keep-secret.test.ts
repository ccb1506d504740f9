import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepSecret } from './keep-secret.js';

let directory = '';
let made = 0;
const make = async () => {
  made += 1;
  return { secret: 'sk-1' };
};
const secretOf = ({ secret }: { readonly secret: string }) => secret;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keep-secret-'));
  made = 0;
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('a secret that is shown once', () => {
  it('goes into a file for its owner alone', async () => {
    const file = join(directory, 'key');
    expect(await keepSecret(file, make, secretOf)).toEqual({ secret: 'sk-1' });
    expect(readFileSync(file, 'utf8')).toBe('sk-1\n');
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('goes nowhere where no file is named', async () => {
    expect(await keepSecret(undefined, make, secretOf)).toEqual({ secret: 'sk-1' });
  });

  it('is not made where its file is there already, which stays', async () => {
    const file = join(directory, 'key');
    writeFileSync(file, 'another');
    await expect(keepSecret(file, make, secretOf)).rejects.toMatchObject({
      ...{ exitCode: 4, fix: 'name a file that is not there yet' },
    });
    expect([made, readFileSync(file, 'utf8')]).toEqual([0, 'another']);
  });

  it('is not made where its file cannot be', async () => {
    const file = join(directory, 'none', 'key');
    await expect(keepSecret(file, make, secretOf)).rejects.toMatchObject({ exitCode: 1 });
    expect(made).toBe(0);
  });

  it('that is refused leaves no file', async () => {
    const file = join(directory, 'key');
    const refused = () => Promise.reject(new Error('refused'));
    await expect(keepSecret(file, refused, secretOf)).rejects.toThrow('refused');
    expect(existsSync(file)).toBe(false);
  });
});
