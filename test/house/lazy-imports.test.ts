import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

/** `const { some } = await import('a-package')`; our own packages and files are ES modules, in a bundle too. */
const NAMED = /\{ (?!default\b)[^}]*\} = await import\(\s*'(?!\.|@ai-fabric\/|node:)([^']+)'/g;
/** Loaded by Node itself: `external` in installers/checkout/bundle-programs.mjs. */
const NOT_BUNDLED = ['@azure/identity', '@azure/keyvault-secrets'];

function sources(folder: string): string[] {
  return readdirSync(join(root, folder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => join(folder, 'src', file));
}

it('loads CommonJS packages by their default export: in a bundle they have no other', () => {
  const named = ['agent', 'control-plane', 'shared'].flatMap(sources).flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(NAMED)]
      .map(([, name = '']) => name)
      .filter((name) => !NOT_BUNDLED.includes(name))
      .map((name) => `${file}: ${name}`),
  );
  expect(named).toEqual([]);
});
