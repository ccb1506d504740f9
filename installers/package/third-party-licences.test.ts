import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { gatherLicences } from './third-party-licences.mjs';

let home: string;
const place = (path: string, content: string): string => {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), content);
  return join(home, path);
};

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'licences-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

it('licences are those of each package once, none of our own', () => {
  const zod = 'node_modules/.pnpm/zod@4/node_modules/zod';
  const scoped = 'node_modules/.pnpm/@hono+x/node_modules/@hono/x';
  place(`${zod}/package.json`, '{ "name": "zod", "version": "4.0.0", "license": "MIT" }');
  place(`${zod}/LICENSE`, 'zod’s words\n');
  place(`${scoped}/package.json`, '{ "name": "@hono/x", "version": "1.0.0", "license": "ISC" }');
  place('node/package.json', '{ "name": "node", "version": "22.0.0" }');
  place('node/LICENCE.md', 'Node’s words');
  const files = [
    place(`${zod}/lib/a.js`, ''),
    place(`${zod}/lib/b.js`, ''),
    place(`${scoped}/dist/index.js`, ''),
    place('agent/dist/main.js', ''),
  ];

  expect(gatherLicences(files, [join(home, 'node')])).toBe(
    [
      '── @hono/x 1.0.0 (ISC)\n\n(its package has no text of it)\n',
      '── node 22.0.0 (see below)\n\nNode’s words\n',
      '── zod 4.0.0 (MIT)\n\nzod’s words\n',
    ].join('\n'),
  );
});
