import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeHeadersEnvironment } from './node-headers.mjs';

let prefix: string;

beforeEach(() => {
  prefix = mkdtempSync(join(tmpdir(), 'ai-fabric-headers-'));
});

afterEach(() => {
  rmSync(prefix, { recursive: true, force: true });
});

describe("Node's header files", () => {
  it('are named to the compiler when they lie beside this very Node', () => {
    const folder = join(prefix, 'include', 'node');
    mkdirSync(folder, { recursive: true });
    const lines = ['MAJOR_VERSION 20', 'MINOR_VERSION 19', 'PATCH_VERSION 4'].map(
      (line) => `#define NODE_${line}`,
    );
    writeFileSync(join(folder, 'node_version.h'), lines.join('\n'));
    expect(nodeHeadersEnvironment(prefix, '20.19.4')).toEqual({ npm_config_nodedir: prefix });
    expect(nodeHeadersEnvironment(prefix, '20.19.5')).toEqual({});
  });

  it('are left to be downloaded when they are not there', () => {
    expect(nodeHeadersEnvironment(prefix, '20.19.4')).toEqual({});
  });
});
