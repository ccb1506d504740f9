import type { Clock, Random } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { BackupStatus } from '../backup/backup-schedule.js';
import type { ServerCertificate } from '../certificate/certificate.js';
import type { SecretReader } from '../config/secrets.js';
import type { DeclaredSource } from '../declared/declared-state.js';
import type { LiveView } from '../live/live-view.js';
import type { HostEvent } from '../registry/registry-types.js';
import type { RouterGauges } from '../router/gauge-types.js';

/** What the checks may look at; they change nothing. */
export interface CheckParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly declared: DeclaredSource;
  readonly live: LiveView;
  readonly secrets: Pick<SecretReader, 'read' | 'failing'>;
  readonly dataDirectory: string;
  readonly certificate: ServerCertificate;
  readonly hostName: string;
  /** Of a host's last heartbeat, in milliseconds. */
  readonly roundTripMs: (hostName: string) => number | null;
  readonly routerGauges: () => RouterGauges;
  /** When hosts came and went, the latest first. */
  readonly hostEvents: (limit: number) => readonly HostEvent[];
  /** What the log told last, oldest first. */
  readonly logEntries: () => readonly unknown[];
  /** Where the gateway answers in clear, reachable from here; `null`: nowhere yet. */
  readonly gatewayUrl: () => string | null;
  /** Their directory is looked at. */
  readonly backups: () => Promise<BackupStatus>;
  readonly counts: () => { readonly fabricFileDiffers: boolean; readonly droppedObservations: number };
}
