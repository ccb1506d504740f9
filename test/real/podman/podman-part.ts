import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { RealPart } from '../../harness/real-part.js';

const ADVICE =
  'apt-get install --no-install-recommends podman runc iptables containernetworking-plugins docker-registry';

export const podman: RealPart = {
  name: 'Podman',
  absence: () => {
    if (process.platform !== 'linux') return 'this is not Linux';
    if (process.getuid?.() !== 0) return 'this user is not root';
    const missing = ['podman', 'runc', 'iptables', 'docker-registry'].find(
      (program) => !isInstalled(program),
    );
    if (missing !== undefined) return `${missing} is not installed (${ADVICE})`;
    return existsSync('/usr/lib/cni') || existsSync('/usr/libexec/podman/netavark')
      ? null
      : `its network plugins are not installed (${ADVICE})`;
  },
  required: true,
};

function isInstalled(program: string): boolean {
  const run = spawnSync(program, ['--version'], { stdio: 'ignore', timeout: 60_000 });
  return run.error === undefined;
}
