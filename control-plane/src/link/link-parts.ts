import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { DeclaredSource } from '../declared/declared-state.js';
import type { LiveState } from '../live/live-state.js';
import type { HostStore, ObservationWriter } from '../registry/registry-types.js';

/** What the link works with. */
export interface LinkParts {
  readonly hosts: Pick<HostStore, 'enrol' | 'findByPublicKey' | 'findRefusedKey'>;
  readonly observations: Pick<ObservationWriter, 'enqueue'>;
  readonly live: LiveState;
  readonly declared: DeclaredSource;
  /** Of the control plane's own certificate. */
  readonly certificateSha256: string;
  readonly clock: Clock;
  /** Unpredictable bytes: for nonces. */
  readonly randomBytes: (size: number) => Uint8Array;
  readonly log: Logger;
  /** A host lost its right to a link: whatever else it has goes with it. */
  readonly onHostEnded?: (hostName: string, detail: string) => void;
}
