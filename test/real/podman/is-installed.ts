import { spawnSync } from 'node:child_process';

/** Whether a program of that name is found and starts. */
export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore', timeout: 60_000 }).error === undefined;
}
