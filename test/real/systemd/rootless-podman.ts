import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult, SystemdMachine } from '../../harness/systemd-machine.js';
import { cdiSpec } from '../podman/cdi-spec.js';
import { writeNvidiaSmi } from '../podman/vllm-image.js';

/** What "apt-get install podman" brings along, with what Debian recommends to it for rootless containers. */
export const ROOTLESS_PACKAGES: readonly string[] = [
  'podman',
  'runc',
  'uidmap',
  'dbus-user-session',
  'slirp4netns',
];

/** Where cgroups are hybrid and limits cannot be raised: runc, and modest limits; and nspawn has no keys of the kernel. */
const CONTAINERS_CONF = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
keyring = false
[engine]
runtime = "runc"
`;

/** Podman would look for FUSE, which is not there, and copy each layer whole. */
const STORAGE_CONF = `[storage]
driver = "overlay"
runroot = "/run/containers/storage"
graphroot = "/var/lib/containers/storage"
`;

/** Beside its Debian what makes Podman work in a container of nspawn, and a card that is none. While it is off. */
export function settleRootlessPodman(
  root: string,
  card: { readonly uuid: string; readonly name: string },
): void {
  const put = (path: string, text: string): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  put('etc/containers/containers.conf', CONTAINERS_CONF);
  put('etc/containers/storage.conf', STORAGE_CONF);
  // As every machine has it but nspawn's, where it is root's: slirp4netns is a user's.
  put('etc/tmpfiles.d/tun.conf', 'z /dev/net/tun 0666 - - -\n');
  put('etc/cdi/nvidia.yaml', cdiSpec(card.uuid, '/usr/local/lib/nvidia-smi'));
  mkdirSync(join(root, 'usr/local/lib'), { recursive: true });
  writeNvidiaSmi(join(root, 'usr/local/lib/nvidia-smi'), [card]);
}

/** Podman's command line as the agent's own user: what its owner does by hand. @returns what it printed */
export async function ownPodman(machine: SystemdMachine, ...args: readonly string[]): Promise<RunResult> {
  const uid = (await machine.must(['id', '-u', 'ai-fabric-agent'])).trim();
  return machine.run(['env', '--chdir=/', 'podman', ...args], {
    user: 'ai-fabric-agent',
    environment: { HOME: '/var/lib/ai-fabric-agent', XDG_RUNTIME_DIR: `/run/user/${uid}` },
  });
}
