import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Journeys that take longer than the rest, the longest first. */
const LONG = [
  'runbooks',
  'kept-containers',
  'bad-starts',
  'restarts',
  'command-line',
  'managed-deployments',
  'broken-links',
  'deployments',
  'keys',
  'doctor-and-smoke',
  'fast-engine',
  'backups',
  'host-lives',
  'telemetry-history',
  'waking-requests',
  'yielding',
  'hosts',
  'model-files',
  'provider-keys',
  'api-document',
  'direct-reach',
  'agent-upgrades',
];

/** Real ones: the longest first, and what has the same part for itself when the one before is about done with it. */
const REAL = [
  'packaged-release',
  'windows-service',
  'installed-control-plane',
  'network',
  'kept-containers',
  'systemd-upgrade',
  'windows-upgrade',
  'systemd-troubles',
  'waking-troubles',
  'managed-podman',
  'systemd-rootless',
  'systemd-install',
  'waking',
  'systemd-printed-line',
  'windows-install',
  'podman',
  'goodbyes',
  'control-plane-container',
  'windows-agent',
  'podman-demo',
  'systemd-serving',
  'windows-managed',
  'printed-line',
  'windows-container-engine',
  'foreign-page',
];

/**
 * What takes long begins first, so that no process works on the last file while the others have nothing left. Vitest by
 * itself knows how long a file takes only where it ran before; in a fresh checkout it goes by the size of the file.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((one, other) => rank(one) - rank(other));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const list = moduleId.includes('/journeys/') ? LONG : moduleId.includes('/test/real/') ? REAL : [];
  const at = list.indexOf(basename(moduleId, '.test.ts'));
  return at === -1 ? Number.MAX_SAFE_INTEGER : at;
}
