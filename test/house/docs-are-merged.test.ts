import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const documents = readdirSync(join(ROOT, 'docs'), { encoding: 'utf8', recursive: true })
  .filter((file) => file.endsWith('.md'))
  .map((file) => join('docs', file));

it.each(['README.md', ...documents])('%s holds no leftovers of a merge', (file) => {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
  expect(lines.filter((line) => /^(<{7}|={7}$|>{7})/.test(line))).toEqual([]);
});
