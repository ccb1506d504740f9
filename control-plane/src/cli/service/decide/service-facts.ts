import type { InstalledRecord } from '../installed-record.js';

/** What is in the data directory, as the program that asks understands it. */
export type RegistryFact =
  | { readonly kind: 'none' }
  | { readonly kind: 'sound'; readonly schema: number; readonly bytes: number }
  | { readonly kind: 'refused'; readonly detail: string; readonly fix: string };

export interface PortHolder {
  readonly port: number;
  readonly processId: number;
  /** As a person calls it: `python3`. */
  readonly program: string;
  /** The service that it belongs to alone. */
  readonly unit: string | null;
}

export interface UnitFact {
  readonly kind: 'none' | 'ours' | 'foreign';
  /** The file that defines it. */
  readonly path: string | null;
  /** Whether its file is the one that this version brings. */
  readonly isAsOffered: boolean;
  readonly active: boolean;
  readonly processId: number;
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** What a machine is like before anything is done to it. */
export interface ServiceFacts {
  readonly isRoot: boolean;
  /** Whether systemd runs here; an image that is only prepared needs none. */
  readonly systemd: boolean;
  /** A root directory other than the machine's own: nothing is started there. */
  readonly isImage: boolean;
  readonly record: InstalledRecord | null;
  readonly account: Account | null;
  readonly unit: UnitFact;
  /** `/usr/local/bin/ai-fabric`. */
  readonly command: 'none' | 'ours' | 'foreign' | 'read_only';
  readonly settingsThere: { readonly fabricFile: boolean; readonly variables: string | null };
  readonly directoriesThere: readonly string[];
  /** Which of the installation's own directories are links, and to what. */
  readonly linked: readonly { readonly path: string; readonly target: string }[];
  readonly versionsThere: readonly string[];
  /** Of upgrades; absolute paths, the oldest first. */
  readonly backupsThere: readonly string[];
  /** Who listens on ports of this machine, the service's own process left out. */
  readonly holders: readonly PortHolder[];
  readonly registry: RegistryFact;
  /** `null`: cannot be told. */
  readonly freeBytes: { readonly program: number | null; readonly data: number | null };
}

/** Why nothing is done. */
export interface Refusal {
  readonly code:
    | 'not_root'
    | 'no_systemd'
    | 'service_is_foreign'
    | 'older_version'
    | 'registry_refused'
    | 'no_space'
    | 'port_taken'
    | 'host_unknown'
    | 'folder_taken'
    | 'not_installed'
    | 'no_earlier_version';
  readonly message: string;
  readonly fix: string;
}
