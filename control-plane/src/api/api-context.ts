import type { Clock } from '@ai-fabric/shared';
import type { BackupStatus } from '../backup/backup-schedule.js';
import type { BodyStore } from '../bodies/body-store.js';
import type { Checks } from '../checks/create-checks.js';
import type { LogLevel } from '../config/control-plane-config.js';
import type { WatchedFabricFile } from '../declared/watched-fabric-file.js';
import type { TelemetryHistory } from '../history/telemetry-history.js';
import type { Installs } from '../install/installs.js';
import type { LiveView } from '../live/live-view.js';
import type { KeyStore } from '../registry/key-types.js';
import type { RecentDecisions } from '../registry/recent-decisions.js';
import type { DeclaredStore, RegistryQueries, TokenStore } from '../registry/registry-types.js';
import type { WriteJournal } from '../registry/write-journal.js';
import type { RunningRouter } from '../router/create-router.js';
import type { Router } from '../router/route-types.js';
import type { HostCalls } from './host-calls.js';
import type { HostLife } from './host-life.js';
import type { HostSleeps } from './host-sleeps.js';
import type { HostWakes } from './host-wakes.js';

/** What the routes may reach: nothing that is not here. */
export interface ApiContext {
  readonly clock: Clock;
  readonly live: LiveView;
  readonly telemetry: Pick<TelemetryHistory, 'query'>;
  readonly router: Router & Pick<RunningRouter, 'learnedOf' | 'forgetRates'>;
  readonly tokens: TokenStore;
  readonly checks: Checks;
  readonly keys: KeyStore;
  readonly declared: DeclaredStore;
  readonly writes: WriteJournal;
  /** What `up --config` named. */
  readonly fabricFile: WatchedFabricFile;
  /** Reads that may take long. */
  readonly reader: RegistryQueries;
  readonly bodies: Pick<BodyStore, 'find'>;
  /** Of the last requests, also where the registry's writer is behind. */
  readonly decisions: Pick<RecentDecisions, 'find'>;
  readonly status: () => {
    readonly startedAtMs: number;
    readonly linkedHosts: number;
    readonly feedSubscribers: number;
    readonly droppedObservations: number;
    readonly droppedRequestRows: number;
    readonly fabricFileDiffers: boolean;
  };
  readonly createFeedTicket: (origin: string | null) => string;
  readonly logLevel: { readonly current: LogLevel; change(level: LogLevel): void };
  readonly certificateSha256: string;
  /** Where agents reach the TLS listener, best first. */
  readonly serverUrls: () => readonly string[];
  readonly verifyAdminToken: (presented: string) => boolean;
  readonly hostLife: HostLife;
  readonly hostCalls: HostCalls;
  readonly hostWakes: HostWakes;
  readonly hostSleeps: HostSleeps;
  /** The release that hosts install from. */
  readonly installs: Installs;
  readonly backups: {
    /** Makes one in a file that the caller gives back. @throws {BackupError} */
    draft(withSecrets: boolean): Promise<{
      readonly file: string;
      readonly sizeBytes: number;
      readonly sha256: string;
      discard(): void;
    }>;
    /** Their directory is looked at. */
    status(): Promise<BackupStatus>;
  };
}
