import { join } from 'node:path';
import { compilerPath } from './compile-sources.mjs';
import { runProgram } from './programs.mjs';
import { setUp } from './setup.mjs';

/**
 * `npm run check`: every check runs, whatever the ones before it found; a summary ends it.
 *
 * @param {string} root
 */
export async function runChecks(root) {
  await setUp(root, { compile: false });
  const tools = join(root, 'node_modules');
  // Its `ci` would write colours into a log.
  const biome = [
    '--error-on-warnings',
    '--max-diagnostics=100',
    ...(process.stdout.isTTY ? [] : ['--colors=off']),
  ];
  const checks = [
    {
      name: 'lint, format and import rules',
      call: [join(tools, '@biomejs', 'biome', 'bin', 'biome'), 'ci', ...biome, '.'],
    },
    { name: 'types', call: [compilerPath(root), '-b'] },
    { name: "types of the checkout's scripts", call: [compilerPath(root), '-p', 'installers/checkout'] },
    {
      name: 'unused files, exports and dependencies',
      call: [join(tools, 'knip', 'bin', 'knip.js'), '--no-progress'],
    },
  ];
  const results = [];
  for (const { name, call } of checks) {
    process.stdout.write(`\n── ${name}\n`);
    results.push({ name, exitCode: await runProgram(process.execPath, call, { cwd: root }) });
    if (results.at(-1)?.exitCode === 130) break; // Ctrl-C ends them all.
  }
  const failed = results.filter((result) => result.exitCode !== 0);
  const lines = results.map(({ name, exitCode }) => `  ${exitCode === 0 ? 'held  ' : 'FAILED'}  ${name}`);
  const next =
    failed.length === 0
      ? 'All checks held. Next: npm test.'
      : `${failed.length} of ${checks.length} checks failed: mend what is shown above (npx biome check --write mends most of lint and format), then npm run check.`;
  process.stdout.write(`\n${lines.join('\n')}\n\n${next}\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
