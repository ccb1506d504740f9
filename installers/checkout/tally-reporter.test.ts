import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ai-fabric-tally-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the real runner over the given test files and returns what the reporter counted. */
async function tallyOf(files: Readonly<Record<string, string>>) {
  for (const [name, code] of Object.entries(files)) writeFileSync(join(folder, `${name}.test.mjs`), code);
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  const reporter = join(import.meta.dirname, 'tally-reporter.mjs');
  const call = [
    vitest,
    'run',
    '--globals',
    '--root',
    folder,
    '--config',
    'none.config.mjs',
    `--reporter=${reporter}`,
  ];
  writeFileSync(join(folder, 'none.config.mjs'), 'export default {};');
  const file = join(folder, 'tally.json');
  await new Promise((resolve) => {
    const env = { ...process.env, AI_FABRIC_TEST_TALLY: file, VITEST: undefined };
    execFile(process.execPath, call, { cwd: folder, env }, resolve);
  });
  return JSON.parse(readFileSync(file, 'utf8'));
}

it('counts what passed, failed and was skipped, each with its reason', { timeout: 30_000 }, async () => {
  const tally = await tallyOf({
    mixed: `
      test('holds', () => {});
      test('fails', () => { throw new Error('no'); });
      test('skips itself', (context) => context.skip('no such part'));
      describe('a real part', { skip: true, meta: { skipReason: 'Wine is absent' } }, () => {
        describe('deep', () => { test('waits', () => {}); });
      });
      test.skip('is not wanted', () => {});
    `,
  });
  expect(tally).toMatchObject({ passed: 1, failed: 1 });
  expect(tally.skipped.map(({ reason }: { reason: string }) => reason).sort()).toEqual([
    'Wine is absent',
    'no such part',
    'not selected',
  ]);
  expect(tally.skipped[0].name).toBe('mixed.test.mjs > skips itself');
});

it('counts as failed what broke outside a test', { timeout: 30_000 }, async () => {
  const tally = await tallyOf({
    unreadable: 'this is no program',
    hook: `describe('group', () => { beforeAll(() => { throw new Error('no'); }); test('never runs', () => {}); });`,
    stray: `test('holds', () => { setTimeout(() => { throw new Error('late'); }, 0); return new Promise((done) => setTimeout(done, 20)); });`,
  });
  expect(tally.passed).toBe(1);
  expect(tally.failed).toBe(3);
});
