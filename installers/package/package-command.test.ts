import { describe, expect, it, vi } from 'vitest';
import { runPackage } from './package-command.mjs';

const prepared = vi.fn(async () => {});
const run = (...args: string[]): Promise<void> => runPackage('/nowhere', args, prepared);

describe('npm run package', () => {
  it('helps without setting anything up', async () => {
    const written: string[] = [];
    const writing = vi
      .spyOn(process.stdout, 'write')
      .mockImplementation((text) => written.push(String(text)) > 0);
    try {
      await run('--help');
    } finally {
      writing.mockRestore();
    }
    expect(written.join('')).toMatch(/--key FILE.*Exit codes:.*Examples:/s);
    expect(prepared).not.toHaveBeenCalled();
  });

  it.each([
    ['a flag that is none', ['--sign', 'key.pem'], /--sign/],
    ['a flag without its value', ['--key'], /--key/],
    ['a word too many', ['agent'], /agent/],
    [
      'a part that is none',
      ['--only', 'dashboard'],
      /--only: expected one of all, agent, .* found dashboard/,
    ],
  ])('refuses %s before it does anything', async (_what, args, words) => {
    const refusal = await run(...args).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ exitCode: 2, message: expect.stringMatching(words) });
    expect(refusal).toMatchObject({ message: expect.stringContaining('npm run package -- --help') });
    expect(prepared).not.toHaveBeenCalled();
  });
});
