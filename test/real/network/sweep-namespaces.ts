import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const PREFIX = 'ai-fabric-lan';

/** Names the namespaces of a LAN of this process. @param id of the LAN among those of the process */
export function namespacePrefix(id: string): string {
  return `${PREFIX}-${process.pid}-${id}`;
}

/** Removes what test runs left that were killed, with the programs that still run there. */
export function sweepNamespaces(): void {
  const listed = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout ?? '';
  for (const [, name = '', pid = ''] of listed.matchAll(new RegExp(`^(${PREFIX}-(\\d+)-\\S+)`, 'gm'))) {
    if (existsSync(`/proc/${pid}`)) continue;
    const inside = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).stdout ?? '';
    for (const each of inside.split('\n').filter((line) => line !== '')) kill(Number(each));
    spawnSync('ip', ['netns', 'delete', name], { stdio: 'ignore' });
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
