import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { describeThorough } from './real-part.js';

const reportSchema = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string(), meta: z.unknown() })),
    }),
  ),
});

const groups = `
  import { describeReal, describeThorough } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'real-part.ts')).href)};
  const part = (name, reason, required) => ({ name, absence: () => reason, required });
  const present = part('a disk', null, true);
  describeReal('with all parts', [present], () => { it('runs', () => { expect(1).toBe(1); }); });
  describeReal('without Wine', [present, part('Wine', 'not installed', true)], () => { it('runs', () => {}); });
  describeThorough('at length', {}, () => { it('runs', () => {}); });
  describeReal('without a GPU', [part('a GPU', 'no card', false)], () => { it('runs', () => {}); });
`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ai-fabric-real-'));
  writeFileSync(join(folder, 'none.config.mjs'), 'export default {};');
  writeFileSync(join(folder, 'groups.test.mjs'), groups);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the groups above for real, and returns what became of each test. */
async function outcomes(more: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  const call = [
    vitest,
    'run',
    '--globals',
    '--root',
    folder,
    '--config',
    'none.config.mjs',
    '--reporter=json',
  ];
  const env = {
    ...process.env,
    VITEST: undefined,
    AI_FABRIC_REQUIRE_REAL: '',
    AI_FABRIC_QUICK_TESTS: '',
    ...more,
  };
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, call, { cwd: folder, env }, (_error, stdout) => resolve(stdout));
  });
  const { testResults } = reportSchema.parse(JSON.parse(output));
  return Object.fromEntries(
    testResults.flatMap((file) => file.assertionResults.map(({ fullName, status }) => [fullName, status])),
  );
}

describeThorough('tests that need a real part, or much time', { timeout: 30_000 }, () => {
  it('are skipped where it is absent', async () => {
    expect(await outcomes({})).toEqual({
      'with all parts runs': 'passed',
      'at length runs': 'passed',
      'without Wine runs': 'skipped',
      'without a GPU runs': 'skipped',
    });
  });

  it('fail for want of it where it is required, save for what cannot be installed', async () => {
    expect(await outcomes({ AI_FABRIC_REQUIRE_REAL: '1' })).toEqual({
      'with all parts runs': 'passed',
      'at length runs': 'passed',
      'without Wine has its real part: Wine': 'failed',
      'without a GPU runs': 'skipped',
    });
  });

  it('that take long are left out by a quick run alone', async () => {
    expect(await outcomes({ AI_FABRIC_QUICK_TESTS: '1' })).toMatchObject({ 'at length runs': 'skipped' });
  });
});
