import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const manifestSchema = z.object({
  name: z.string(),
  dependencies: z.record(z.string(), z.string()).optional(),
  optionalDependencies: z.record(z.string(), z.string()).optional(),
});

const agent = join(import.meta.dirname, '..', '..', 'agent');

/** The folders of all packages that the agent needs at run time, by name. */
function runTimePackages(): Map<string, string> {
  const found = new Map<string, string>();
  const ahead = [agent];
  for (let folder = ahead.pop(); folder !== undefined; folder = ahead.pop()) {
    const { name, dependencies, optionalDependencies } = manifestSchema.parse(
      JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')),
    );
    if (found.has(name)) continue;
    found.set(name, folder);
    for (const needed of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const at = locate(folder, needed);
      if (at !== null) ahead.push(at);
    }
  }
  return found;
}

/** As Node looks for a package: in the `node_modules` of the folder, then of the folders above it. */
function locate(from: string, name: string): string | null {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    try {
      return realpathSync(join(folder, 'node_modules', name));
    } catch {
      // Not in this one; an optional package for another system is in none.
    }
  }
  return null;
}

function nativeParts(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => !file.split(/[\\/]/).includes('node_modules'))
    .filter((file) => file.endsWith('.node') || file.endsWith('binding.gyp'));
}

describe('what the agent ships with', () => {
  const packages = runTimePackages();

  it('is found in whole: its dependencies and theirs', () => {
    expect([...packages.keys()]).toEqual(
      expect.arrayContaining(['@ai-fabric/agent', '@ai-fabric/shared', 'zod', 'ws']),
    );
    expect(packages.size).toBeGreaterThan(8);
  });

  it('holds no native part, for an executable of one file cannot load one', () => {
    const native = [...packages].flatMap(([name, folder]) =>
      nativeParts(folder).map((file) => `${name}: ${file}`),
    );
    expect(native).toEqual([]);
  });

  it('holds nothing of the control plane', () => {
    for (const foreign of ['@ai-fabric/control-plane', 'hono', 'drizzle-orm', 'better-sqlite3']) {
      expect(packages.has(foreign), foreign).toBe(false);
    }
  });
});
