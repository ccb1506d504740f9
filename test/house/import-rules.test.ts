import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const root = join(import.meta.dirname, '..', '..');

const aboutImports = new Set(['plugin', 'lint/style/noRestrictedGlobals', 'lint/style/noProcessEnv']);

/** The part of the linter's report that is looked at. */
const reportSchema = z.object({
  diagnostics: z.array(
    z.object({ category: z.string(), message: z.string(), location: z.object({ path: z.string() }) }),
  ),
});

/** A file that would break the house's import rules, and the words that its refusal has to hold. */
interface Violation {
  readonly file: string;
  readonly code: string;
  readonly refusal: string;
}

const violations: readonly Violation[] = [
  ...inFiles(['shared/src/pure/a.ts'], 'shared imports zod alone', [
    "import 'node:fs';",
    "import type { Agent } from '@ai-fabric/agent';",
    "export * from 'pino';",
    "export const late = () => import('ws');",
    "export type Socket = import('ws').WebSocket;",
  ]),
  ...inFiles(['shared/src/pure/a.ts'], 'shared imports zod alone', ["import 'node:crypto';"]),
  ...inFiles(['shared/src/release/a.ts'], 'zod and node:crypto alone', [
    "import 'node:fs';",
    "import 'pino';",
  ]),
  ...inFiles(['shared/src/pure/a.test.ts'], 'shared and its tests', [
    "import 'undici';",
    "import '@ai-fabric/agent';",
  ]),
  ...inFiles(['agent/src/link/a.ts', 'agent/src/link/b.test.ts', 'agent/bin/c.js'], 'single executable', [
    "import '@ai-fabric/control-plane';",
    "import '../../../control-plane/src/version.js';",
    "import 'hono';",
    "import '@hono/node-server';",
    "import 'drizzle-orm/better-sqlite3';",
    "import 'better-sqlite3';",
    "import './addon.node';",
    "import 'bindings';",
  ]),
  ...inFiles(
    ['agent/src/link/decide/a.ts', 'control-plane/src/router/decide/deep/a.ts'],
    'a decider imports',
    [
      "import 'node:fs';",
      "import 'fs';",
      "import 'node:crypto';",
      "import 'pino';",
      "import 'undici';",
      "import 'ws';",
    ],
  ),
  ...inFiles(['control-plane/src/router/decide/a.ts'], 'has no clock', [
    'export const now = Date.now();',
    'export const now = new Date();',
    'export const now = new Date;',
    'export const now = Date();',
  ]),
  ...inFiles(['control-plane/src/router/decide/a.ts'], 'draws no lots', [
    'export const lot = Math.random();',
    "export const lot = Math['random']();",
    'export const { random } = Math;',
  ]),
  ...inFiles(['control-plane/src/router/decide/a.ts'], 'Do not use the global variable', [
    'export const now = performance.now();',
    'export const lot = crypto.randomUUID();',
    'setTimeout(() => 1, 5);',
    'setInterval(() => 1, 5);',
    'export const platform = process.platform;',
    'export const later = globalThis.setTimeout;',
    "export const page = fetch('http://localhost');",
    "console.log('here');",
  ]),
  ...inFiles(
    ['agent/src/reporter/a.ts', 'control-plane/src/gateway/a.ts', 'control-plane/src/http/a.ts'],
    'ws belongs to',
    [
      "import { WebSocket } from 'ws';",
      "import type { WebSocket } from 'ws';",
      'export const socket = import(`ws`);',
      "import socket = require('ws');\nexport const held = socket;",
    ],
  ),
  ...inFiles(['control-plane/src/live/a.ts', 'control-plane/src/api/a.ts'], 'SQL', [
    "import 'better-sqlite3';",
    "import { eq } from 'drizzle-orm';\nexport const same = eq;",
    "import 'drizzle-orm/sqlite-core';",
  ]),
  ...inFiles(
    [
      'agent/src/link/a.ts',
      'agent/src/sensors/gpu/a.ts',
      'control-plane/src/cli/a.ts',
      'control-plane/src/gateway/a.ts',
      'control-plane/src/link/a.ts',
    ],
    'undici belongs to',
    ["import { request } from 'undici';\nexport const ask = request;"],
  ),
  ...inFiles(
    ['agent/src/replica/a.ts', 'control-plane/src/gateway/a.ts', 'shared/src/a.ts'],
    'node:child_process belongs to',
    ["import 'node:child_process';"],
  ),
  ...inFiles(
    ['agent/src/link/a.ts', 'control-plane/src/fleet/a.ts', 'shared/src/a.ts'],
    'node:dgram belongs to',
    ["import 'node:dgram';"],
  ),
  ...inFiles(['agent/src/reporter/a.ts', 'control-plane/src/live/a.ts'], 'hardware inventory', [
    "import 'systeminformation';",
    "import 'node-nvidia-smi';",
  ]),
  ...inFiles(['agent/src/link/a.ts', 'control-plane/src/router/a.ts'], 'process.env', [
    'export const home = process.env.HOME;',
  ]),
  ...flows('control-plane', 'router', ['gateway', 'link', 'feed', 'api', 'http', 'fleet']),
  ...flows('control-plane', 'fleet', ['router', 'gateway', 'feed', 'api', 'http', 'tunnel']),
  ...flows('control-plane', 'live', ['router', 'gateway', 'link', 'feed', 'api', 'http', 'registry']),
  ...flows('control-plane', 'registry', ['router', 'gateway', 'link', 'live', 'feed', 'api']),
  ...flows('control-plane', 'link', ['router', 'gateway']),
  ...flows('control-plane', 'declared', [
    'registry',
    'live',
    'router',
    'gateway',
    'link',
    'feed',
    'api',
    'http',
  ]),
  ...flows('agent', 'sensors', ['reporter', 'link', 'replica']),
  ...flows('agent', 'containers', ['reporter', 'link', 'replica', 'tunnel', 'sensors']),
  ...flows('agent', 'reporter', ['link']),
  ...flows('agent', 'link', ['sensors']),
];

const allowed: Readonly<Record<string, string>> = {
  'shared/src/wire/a.ts': "import { z } from 'zod';\nexport const text = z.string();\n",
  'shared/src/release/a.ts': "import 'zod';\nimport 'node:crypto';\n",
  'shared/src/wire/a.test.ts': "import 'node:fs';\nimport 'vitest';\nimport 'fast-check';\n",
  'agent/src/link/a.ts': "import { WebSocket } from 'ws';\nexport const socket = WebSocket;\n",
  'agent/src/link/a.test.ts': "import 'undici';\n",
  'agent/src/sensors/engine/a.ts': "import 'undici';\nimport 'node:child_process';\n",
  'agent/src/sensors/gpu/a.ts': "import 'node-nvidia-smi';\nimport 'node:child_process';\n",
  'agent/src/link/decide/a.ts': 'export const text = (atMs: number) => new Date(atMs).toISOString();\n',
  'agent/src/link/decide/a.test.ts': 'export const lot = Math.random() + Date.now();\n',
  'control-plane/src/feed/a.ts': "import 'ws';\nimport '../live/a.js';\nimport '../registry/a.js';\n",
  'control-plane/src/fleet/a.ts':
    "import '../live/a.js';\nimport '../link/a.js';\nimport '../registry/a.js';\n",
  'control-plane/src/gateway/a.ts':
    "import '../router/a.js';\nimport '../fleet/a.js';\nimport '../live/a.js';\n",
  'control-plane/src/gateway/upstream/a.ts': "import 'undici';\n",
  'control-plane/src/link/b.ts': "import 'ws';\nimport '../live/a.js';\nimport '../registry/a.js';\n",
  'control-plane/src/registry/a.ts':
    "import 'better-sqlite3';\nimport 'drizzle-orm';\nimport '../declared/a.js';\n",
  'control-plane/src/router/a.ts': "import '../live/a.js';\nimport '../declared/a.js';\n",
  'control-plane/src/config/a.ts': 'export const home = process.env.HOME;\n',
};

/** Every snippet in a file of its own, in the room that its rule is about; beside them only the linter's configuration. */
let folder: string;
let refusals: ReadonlyMap<string, string>;

const broken = violations.map((violation, index) => ({
  ...violation,
  path: numbered(violation.file, index),
}));
const held = Object.entries(allowed).map(([file, code], index) => ({
  code,
  path: numbered(file, 1000 + index),
}));

describe('the import rules of the house', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ai-fabric-rules-'));
    const config: Record<string, unknown> = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
    writeFileSync(join(folder, 'biome.json'), JSON.stringify({ ...config, vcs: { enabled: false } }));
    cpSync(join(root, 'test/house/import-rules'), join(folder, 'test/house/import-rules'), {
      recursive: true,
    });
    for (const { path, code } of [...broken, ...held]) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), `${code}\n`);
    }
    refusals = await lint(folder);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(broken)('refuse in $file: $code', ({ path, refusal }) => {
    expect(refusals.get(path)).toContain(refusal);
  });

  it.each(held)('let $path have what is its own', ({ path }) => {
    expect(refusals.get(path)).toBeUndefined();
  });

  it('are each broken by at least one of these snippets', () => {
    const said = [...refusals.values()].join('\n');
    const rules = readdirSync(join(root, 'test/house/import-rules'));
    for (const rule of rules) {
      const text = readFileSync(join(root, 'test/house/import-rules', rule), 'utf8');
      const message = /message\s*=\s*"([^"]+)"/.exec(text)?.[1];
      expect(said, rule).toContain(message);
    }
  });
});

function inFiles(files: readonly string[], refusal: string, snippets: readonly string[]): Violation[] {
  return files.flatMap((file) => snippets.map((code) => ({ file, code, refusal })));
}

function flows(part: string, room: string, forbidden: readonly string[]): Violation[] {
  return forbidden.flatMap((other) => [
    { file: `${part}/src/${room}/a.ts`, code: `import '../${other}/b.js';`, refusal: 'ata flows one way' },
    {
      file: `${part}/src/${room}/decide/a.ts`,
      code: `import type { B } from '../../${other}/decide/b.js';\nexport type C = B;`,
      refusal: 'ata flows one way',
    },
  ]);
}

/** `x/a.test.ts` becomes `x/a-12.test.ts`: the folder and the ending are what rules go by. */
function numbered(file: string, index: number): string {
  return file.replace(/\/([a-z]+)\.([^/]*)$/, `/$1-${index}.$2`);
}

/** @returns what the linter refused, by file */
async function lint(at: string): Promise<Map<string, string>> {
  const biome = createRequire(join(root, 'package.json')).resolve('@biomejs/biome/bin/biome');
  const call = [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '.'];
  const output = await new Promise<string>((resolve) => {
    // It exits 1, because it finds what it is meant to find: whether it ran at all shows in its report.
    execFile(process.execPath, call, { cwd: at, maxBuffer: 2 ** 26 }, (_error, stdout) => resolve(stdout));
  });
  const found = new Map<string, string>();
  for (const { message, location, category } of reportSchema.parse(JSON.parse(output)).diagnostics) {
    if (!aboutImports.has(category)) continue;
    found.set(location.path, `${found.get(location.path) ?? ''}${message}\n`);
  }
  return found;
}
