import type { KeyClasses, KeyLimits } from '../registry/key-types.js';

/** Who asks, as far as the gateway needs to know. */
export interface GatewayKey {
  readonly keyId: string;
  /** `anonymous` for callers that are trusted by their address. */
  readonly name: string;
  /** The names that it may ask for; `null`: all. */
  readonly roles: ReadonlySet<string> | null;
  /** Whether its requests may wake a host. */
  readonly mayWake: boolean;
  /** Whether its requests may go to a provider. */
  readonly mayCloud: boolean;
  readonly limits: KeyLimits;
  /** How urgent its requests are where they do not say, and at most. */
  readonly classes: KeyClasses;
  /** What its requests and their answers say is to be kept. */
  readonly keepsBodies: boolean;
}

/** What admission found out about a request that it let in; goes with the request through the gateway. */
export interface RequestContext {
  /** The client's own `x-request-id` when it is sane, else one of ours. */
  readonly requestId: string;
  readonly key: GatewayKey;
  /** Header names and values, alternating, for every answer to this request. Empty without an `Origin`. */
  readonly corsHeaders: readonly string[];
}
