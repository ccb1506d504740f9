import { join } from 'node:path';

/** Every path in a data directory; nobody else puts one together. */
export interface DataDirectoryLayout {
  readonly registryFile: string;
  /** Held by the running control plane; its process id stands in the file beside it. */
  readonly lockFile: string;
  readonly processIdFile: string;
  readonly certificateDirectory: string;
  readonly adminTokenFile: string;
  /** Where the running control plane answers, for the operator's commands on this machine. */
  readonly endpointFile: string;
  /** Backups that are on their way to somebody. */
  readonly backupDraftsDirectory: string;
  /** What requests said, of keys that ask for it. In no backup. */
  readonly bodiesDirectory: string;
  /** Large bodies of requests that are under way. Emptied at the start. */
  readonly spoolDirectory: string;
  /** What the checks found last, readable while no control plane runs. */
  readonly checksFile: string;
  /** Commands and hooks that wake hosts, written by the machine's owner alone. In no backup. */
  readonly wakersFile: string;
}

export function dataDirectoryLayout(dataDirectory: string): DataDirectoryLayout {
  return {
    registryFile: join(dataDirectory, 'registry.sqlite'),
    lockFile: join(dataDirectory, 'control-plane.lock'),
    processIdFile: join(dataDirectory, 'control-plane.pid'),
    certificateDirectory: join(dataDirectory, 'tls'),
    adminTokenFile: join(dataDirectory, 'admin.token'),
    endpointFile: join(dataDirectory, 'endpoint.json'),
    backupDraftsDirectory: join(dataDirectory, 'backup-drafts'),
    bodiesDirectory: join(dataDirectory, 'bodies'),
    spoolDirectory: join(dataDirectory, 'spool'),
    checksFile: join(dataDirectory, 'checks.json'),
    wakersFile: join(dataDirectory, 'wakers.yaml'),
  };
}
