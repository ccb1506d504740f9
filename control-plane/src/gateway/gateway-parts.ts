import type { ServerResponse } from 'node:http';
import type { Clock } from '@ai-fabric/shared';
import type { BodyCapture } from '../bodies/capture-body.js';
import type { SecretReference } from '../declared/declared-state.js';
import type { WakeDesk } from '../fleet/wake-desk.js';
import type { LiveView } from '../live/live-view.js';
import type { Router } from '../router/route-types.js';
import type { TunnelLookup } from '../tunnel/tunnel-book.js';
import type { KeyLimiter } from './admission/key-limiter.js';
import type { BodyLimits, LargeBodies } from './body-reader.js';
import type { ConnectionEnds } from './connection-ends.js';
import type { Deadlines } from './deadlines.js';
import type { FailureLog } from './failure-log.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import type { HeldBytes } from './held-bytes.js';
import type { RequestRecorder } from './request-record.js';
import type { ResponseHolders } from './response-holders.js';
import type { TurnShare } from './turn-share.js';
import type { TargetAddresses } from './upstream/target-address.js';
import type { UpstreamPools } from './upstream/upstream-pools.js';

/** Where the keys of providers are read; the secret itself is never kept here. */
export interface ProviderKeys {
  read(
    reference: SecretReference,
  ):
    | { readonly ok: true; readonly value: string }
    | { readonly ok: false; readonly code: string; readonly detail: string };
}

/** Begins to listen to a request of a key that asks for its bodies. */
export type CaptureBody = (
  response: ServerResponse,
  asked: { readonly requestId: string; readonly keyId: string },
) => BodyCapture;

/** What all exchanges of a gateway share. */
export interface GatewayParts {
  readonly router: Router;
  readonly secrets: ProviderKeys;
  readonly keyLimiter: KeyLimiter;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly connectionEnds: ConnectionEnds;
  readonly pools: UpstreamPools;
  readonly tunnels: TunnelLookup;
  readonly wakes: WakeDesk;
  /** Where engines are that are reached directly, and how far a wake is. */
  readonly live: Pick<LiveView, 'host' | 'replica'>;
  readonly addresses: TargetAddresses;
  readonly metrics: GatewayMetrics;
  readonly requestLog: RequestRecorder;
  readonly captureBody: CaptureBody;
  readonly failureLog: FailureLog;
  readonly heldBytes: HeldBytes;
  readonly turnShare: TurnShare;
  readonly responseHolders: ResponseHolders;
  readonly bodyLimits: BodyLimits;
  /** Of a body that is a form. */
  readonly formLimits: BodyLimits;
  readonly largeBodies: LargeBodies;
}
