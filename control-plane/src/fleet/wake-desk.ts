/** A request that only a sleeping host could serve. */
export interface WakeAsk {
  /** Deployments that would serve it, in the order of declaration; which of their hosts is woken the planner says. */
  readonly deployments: readonly string[];
  /** What was asked for, by its declared name. */
  readonly role: string;
  readonly keyId: string;
  /** It is held for the wake; else the next request is to find the host awake. */
  readonly isHeld: boolean;
  /** Milliseconds: for so long such a request may wait. What is woken is to be ready by then, where any host is. */
  readonly withinMs: number;
}

/** Why no host is woken. */
export type WakeRefusal =
  /** No host of these may or can be woken now: the detail says why of each. */
  'not_wakeable';

export interface WakeTicket {
  readonly host: string;
  readonly wakeId: string;
  /** Whether, as usual, it is ready within what was asked for. */
  readonly isInTime: boolean;
  /** Its waiter is gone: the wake goes on, and starts no other. Later calls do nothing. */
  leave(): void;
}

/** What the gateway asks of the fleet. One flight per host, shared by all who wait for it. */
export interface WakeDesk {
  /** Joins a flight that is under way for one of the hosts, unless that is far too late and another would not be; or starts one. */
  wake(ask: WakeAsk): WakeTicket | { readonly refused: WakeRefusal; readonly detail: string };
}
