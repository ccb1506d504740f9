import type { ReleaseArtefact, UpgradeMode } from '@ai-fabric/shared';
import type { ServiceFacts } from './decide/plan-upgrade-step.js';
import type { Health } from './health.js';
import type { UpgradeRecord } from './upgrade-record.js';

/**
 * What takes a release in, with rights that the agent does not have: what it fetched is copied to where it cannot write, and
 * proven there.
 */
export interface UpgradeIntake {
  /** As agent.yaml says. @throws ConfigError */
  mode(): Promise<UpgradeMode>;
  /** SHA-256 of the manifest that the owner said yes to; `null`: none. */
  approvedSha256(): Promise<string | null>;
  /** What the agent staged, unproven; `null`: nothing. */
  staged(): Promise<{ readonly manifestBytes: Uint8Array; readonly signature: string | null } | null>;
  /** Where versions are placed. */
  freeBytes(): Promise<number>;
  /** Copies a version, proves the copy, and gives it its name. @throws UpgradeError `damaged` */
  place(version: {
    /** Of its folder. */
    readonly name: string;
    /** The program first. */
    readonly files: ReleaseArtefact['files'];
    readonly manifestBytes: Uint8Array;
    readonly signature: string | null;
  }): Promise<{ readonly folder: string }>;
}

/** What a version is replaced with by another. Each call, carried out twice, is as if once. */
export interface UpgradeSystem {
  /** `null`: there never was one. @throws Error where it is damaged */
  readRecord(): Promise<UpgradeRecord | null>;
  /** Whole or not at all, on the disk when it resolves. */
  writeRecord(record: UpgradeRecord): Promise<void>;
  /** Folder of the current version; `null`: none is. */
  current(): Promise<string | null>;
  /** At once: there is a current version at each moment. */
  makeCurrent(folder: string): Promise<void>;
  /** Starts what is current. @throws Error when it does not start */
  restart(): Promise<void>;
  service(): Promise<ServiceFacts>;
  health(): Promise<Health | null>;
  /**
   * From here on `finishUpgrade` is run by the version that was there before, whatever becomes of the newer one: after a crash,
   * and from the next boot on.
   */
  arm(record: Pick<UpgradeRecord, 'from'>): Promise<void>;
  /** Has that begin now, beside whoever asks. */
  startFinishing(): Promise<void>;
  /** It is over. */
  disarm(): Promise<void>;
  /** The install's own record says which version is here. */
  noteVersion(version: string): Promise<void>;
  /** Takes away all versions but these and the current one. */
  keepOnly(folders: readonly string[]): Promise<void>;
}
