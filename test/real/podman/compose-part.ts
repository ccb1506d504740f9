import type { RealPart } from '../../harness/real-part.js';
import { isInstalled } from './is-installed.js';

/** Docker's, the older one that Debian has, by the API that Podman has in Docker's place. */
export const dockerCompose: RealPart = {
  name: 'docker-compose',
  absence: () =>
    isInstalled('docker-compose')
      ? null
      : 'docker-compose is not installed (apt-get install --no-install-recommends docker-compose)',
  required: true,
};
