import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clearInstallStamp, computeInstallStamp, isInstalled, writeInstallStamp } from './install-stamp.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ai-fabric-stamp-'));
  write('pnpm-lock.yaml', 'lock');
  write('pnpm-workspace.yaml', 'packages');
  for (const folder of ['.', 'agent', 'control-plane/dashboard']) {
    write(join(folder, 'package.json'), `{ "name": "${folder}" }`);
    mkdirSync(join(root, folder, 'node_modules'), { recursive: true });
  }
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(file: string, text: string): void {
  mkdirSync(join(root, file, '..'), { recursive: true });
  writeFileSync(join(root, file), text);
}

describe('what was installed', () => {
  it.each([
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'package.json',
    'agent/package.json',
    'control-plane/dashboard/package.json',
  ])('is stale when %s changes', (file) => {
    const before = computeInstallStamp(root);
    write(file, '{ "changed": true }');
    expect(computeInstallStamp(root)).not.toBe(before);
  });

  it('is stale for a Node with another ABI and on another system', () => {
    const stamps = ['abi 115 linux x64', 'abi 127 linux x64', 'abi 115 win32 x64'].map((runtime) =>
      computeInstallStamp(root, runtime),
    );
    expect(new Set(stamps).size).toBe(3);
  });

  it('is not stale for a change in sources, or in what was installed itself', () => {
    const before = computeInstallStamp(root);
    write('agent/src/index.ts', 'export {};');
    write('agent/node_modules/ws/package.json', '{}');
    write('agent/dist/package.json', '{}');
    expect(computeInstallStamp(root)).toBe(before);
  });

  it('counts as installed once the stamp says so', () => {
    const wanted = computeInstallStamp(root);
    expect(isInstalled(root, wanted)).toBe(false);
    writeInstallStamp(root, wanted);
    expect(isInstalled(root, wanted)).toBe(true);
    expect(isInstalled(root, 'another')).toBe(false);
  });

  it('does not count while an install is under way, which a kill may leave half done', () => {
    const wanted = computeInstallStamp(root);
    writeInstallStamp(root, wanted);
    clearInstallStamp(root);
    expect(isInstalled(root, wanted)).toBe(false);
  });

  it.each(['node_modules', 'agent/node_modules'])('does not count when someone deleted %s', (folder) => {
    const wanted = computeInstallStamp(root);
    writeInstallStamp(root, wanted);
    rmSync(join(root, folder), { recursive: true });
    expect(isInstalled(root, wanted)).toBe(false);
  });
});
