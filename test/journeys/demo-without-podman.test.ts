import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../harness/run-program.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';

let empty: TemporaryDirectory;

beforeAll(() => {
  empty = temporaryDirectory();
});
afterAll(() => empty.remove());

/** No program is found, as on a machine that has none of them. */
const demo = (...args: readonly string[]) =>
  runCli(['demo', '--podman', ...args], { environment: { PATH: empty.path, TMPDIR: empty.path } });

test('the demo on Podman says what a machine lacks, each with its fix, and starts nothing', async () => {
  const { exitCode, stdout, stderr } = await demo('--once');
  expect({ exitCode, stdout }).toEqual({ exitCode: 6, stdout: '' });
  expect(stderr).toMatch(
    /^The demo on Podman was not started, and nothing was changed\. This machine lacks:$/m,
  );
  expect(stderr).toMatch(/^ {2}✗ (podman +apt-get install |Linux)/m);
  expect(readdirSync(empty.path)).toEqual([]);
});

test('and says it as data', async () => {
  const { exitCode, stderr } = await demo('--json');
  expect(exitCode).toBe(6);
  expect(JSON.parse(stderr)).toMatchObject({
    kind: 'podman_lacking',
    needs: expect.arrayContaining([{ what: expect.any(String), fix: expect.any(String) }]),
  });
});
