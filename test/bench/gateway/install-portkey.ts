import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const VERSION = '1.15.2';

/**
 * `@portkey-ai/gateway` from npm, kept in the temporary directory for the next run: 83 packages that nothing but
 * this comparison needs. Nothing of them runs at install time.
 *
 * @returns the program to start
 * @throws Error with npm's words where it cannot be had
 */
export function installPortkey(progress: (line: string) => void): string {
  const directory = join(tmpdir(), `ai-fabric-bench-portkey-${VERSION}`);
  const program = join(directory, 'node_modules', '@portkey-ai', 'gateway', 'build', 'start-server.js');
  if (existsSync(program)) return program;
  progress(`installing @portkey-ai/gateway ${VERSION} from npm into ${directory} (25 MB, once)`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{ "private": true }\n');
  const npm = spawnSync(
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', `@portkey-ai/gateway@${VERSION}`],
    { cwd: directory, encoding: 'utf8', timeout: 180_000, shell: process.platform === 'win32' },
  );
  if (npm.status === 0 && existsSync(program)) return program;
  const said = npm.error?.message ?? npm.stderr.trim().split('\n').slice(-3).join(' ');
  throw new Error(`npm could not install @portkey-ai/gateway ${VERSION}: ${said}`);
}
