import type { GoodbyeReason, ServerFrame } from '@ai-fabric/shared';
import type { LinkFailure } from '../link-failure.js';

/** The life of the link. `attempt` counts failures since the last link that held. */
export type LinkState =
  | { readonly name: 'connecting'; readonly attempt: number }
  | { readonly name: 'proving'; readonly attempt: number; readonly helloSent: boolean }
  | {
      readonly name: 'linked';
      readonly attempt: number;
      /** Monotonic. */
      readonly sinceMs: number;
      readonly hostId: string;
      readonly hostName: string;
      /** A ping is out and nothing was heard since. */
      readonly awaitingSign: boolean;
      /** When something was heard of the other side; monotonic. */
      readonly heardAtMs: number;
    }
  | { readonly name: 'waiting'; readonly attempt: number; readonly failure: LinkFailure }
  | { readonly name: 'stopped'; readonly reason: GoodbyeReason };

export type LinkEvent =
  | { readonly type: 'opened' }
  | { readonly type: 'frame'; readonly frame: ServerFrame }
  /** What arrived is no frame: `detail` says why. */
  | { readonly type: 'bad_frame'; readonly detail: string }
  /** A pong or a ping of the other side. Frames count as signs too. */
  | { readonly type: 'sign' }
  /** The attempt or the connection ended. */
  | { readonly type: 'ended'; readonly failure: LinkFailure }
  | { readonly type: 'timer'; readonly timer: LinkTimer }
  /** The machine slept: what was open is not to be trusted, and what waits need not. */
  | { readonly type: 'resumed' }
  /** What was stopped begins anew. */
  | { readonly type: 'start' }
  | { readonly type: 'stop'; readonly reason: GoodbyeReason; readonly detail: string };

export type LinkTimer = 'proof' | 'heartbeat' | 'sign' | 'retry';

export type LinkEffect =
  | { readonly type: 'dial' }
  | { readonly type: 'send_hello'; readonly nonce: string }
  | { readonly type: 'ping' }
  | { readonly type: 'arm'; readonly timer: LinkTimer; readonly delayMs: number }
  | { readonly type: 'disarm'; readonly timer: LinkTimer }
  | { readonly type: 'disarm_all' }
  | {
      readonly type: 'announce_linked';
      readonly hostId: string;
      readonly hostName: string;
      readonly serverTimeMs: number;
    }
  /** `lostAfterMs`: how long the link had stood; `null`: there was none, an attempt failed. */
  | {
      readonly type: 'announce_down';
      readonly failure: LinkFailure;
      readonly lostAfterMs: number | null;
      readonly retryMs: number;
    }
  | { readonly type: 'deliver_ack'; readonly seq: number }
  | { readonly type: 'deliver_command'; readonly frame: Extract<ServerFrame, { type: 'command' }> }
  /** Says why, closes, and pulls the plug when the other side does not close too. */
  | { readonly type: 'say_goodbye'; readonly reason: GoodbyeReason; readonly detail: string }
  /** Pulls the plug at once: nobody listens on the other side. */
  | { readonly type: 'terminate' };

/** What a decision may depend on besides state and event. */
export interface LinkMoment {
  /** Monotonic. */
  readonly nowMs: number;
  /** In [0, 1): spreads retries. */
  readonly jitter: number;
}

export type LinkDecision =
  | { readonly ok: true; readonly state: LinkState; readonly effects: readonly LinkEffect[] }
  /** This event has no meaning in this state. Nothing changes. */
  | { readonly ok: false; readonly refusal: LinkRefusal };

export interface LinkRefusal {
  readonly code: 'unexpected_event';
  readonly state: LinkState['name'];
  readonly event: LinkEvent['type'];
  readonly detail: string;
}

export const initialLinkState: LinkState = { name: 'connecting', attempt: 0 };
