import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isSingleExecutable, ownLicences, ownProgram } from './own-program.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'own program '));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('is Node with a file where it is not packaged', () => {
  expect(isSingleExecutable()).toBe(false);
  expect(ownLicences()).toBeNull();
  expect(ownProgram().file).toBe(process.execPath);
  expect(ownProgram().args.at(-1)).toBe(process.argv[1]);
});

it('starts itself again with the flags that it has, whatever its folder is called', () => {
  const script = join(folder, 'program.mjs');
  const module = new URL('../dist/own-program.js', import.meta.url).href;
  writeFileSync(
    script,
    `import { spawnSync } from 'node:child_process';
     import { ownProgram } from ${JSON.stringify(module)};
     const { file, args } = ownProgram();
     if (process.argv[2] === 'again') console.log(JSON.stringify([process.execArgv, process.argv.slice(2)]));
     else process.stdout.write(spawnSync(file, [...args, 'again', 'a word'], { encoding: 'utf8' }).stdout);`,
  );
  const run = spawnSync(process.execPath, ['--no-memory-reducer', script], { encoding: 'utf8' });
  expect(JSON.parse(run.stdout)).toEqual([['--no-memory-reducer'], ['again', 'a word']]);
});
