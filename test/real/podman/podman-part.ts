import type { RealPart } from '../../harness/real-part.js';
import { isInstalled } from './is-installed.js';
import { podmanNeeds } from './podman-needs.js';

/** With a registry to pull from. */
export const podman: RealPart = {
  name: 'Podman',
  absence: () => {
    const [need] = podmanNeeds();
    if (need !== undefined) return `it needs ${need.what} (${need.fix})`;
    return isInstalled('docker-registry')
      ? null
      : 'docker-registry is not installed (apt-get install --no-install-recommends docker-registry)';
  },
  required: true,
  alone: 'podman',
};
