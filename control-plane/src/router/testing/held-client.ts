import type { RequestClass } from '../../declared/request-class.js';
import type {
  AttemptOutcome,
  Claim,
  HeldRequest,
  QueueOutlook,
  RouteRequest,
  WaitDecision,
} from '../route-types.js';
import type { FakeFabric } from './fake-fabric.js';
import { deploymentOf, requestOf, roleOf, stateOf } from './router-fixtures.js';
import { resolved } from './router-moves.js';

/** A role with one replica that takes one request at a time. */
export const oneSlot = stateOf({
  deployments: [deploymentOf('a', { maxConcurrent: 1 })],
  roles: [roleOf('chat-fast', ['a'])],
});

/** A request as the gateway makes one: selects, claims, waits, goes. */
export class HeldClient implements HeldRequest {
  readonly role = 'chat-fast';
  readonly requestClass: RequestClass;
  readonly bytes = 100;
  readonly patienceEndsAtMs: number;
  claim: Claim | null = null;
  came = 'nothing yet';
  looks = 0;
  /** How often it was told that it waits no more. */
  ends = 0;
  isReleased = false;
  outlook: QueueOutlook | null = null;
  readonly #fabric: FakeFabric;
  readonly key: string;
  readonly #excluded: ReadonlySet<string>;
  leave: () => void = () => undefined;

  constructor(
    fabric: FakeFabric,
    key = 'notes',
    excluded: ReadonlySet<string> = new Set(),
    requestClass: RequestClass = 'normal',
  ) {
    this.#fabric = fabric;
    this.key = key;
    this.requestClass = requestClass;
    this.#excluded = excluded;
    this.patienceEndsAtMs = fabric.clock.monotonicMs() + 50_000;
    const wait = this.lookAgain();
    if (wait === null) return;
    const ticket = fabric.router.hold(this, wait);
    this.came = ticket === null ? 'queue full' : 'held';
    if (ticket === null) return;
    this.leave = () => ticket.leave();
    this.outlook = ticket.outlook();
  }

  lookAgain(): WaitDecision | null {
    this.looks += 1;
    const { requestClass, key } = this;
    const hints = { key, promptBytes: null, streams: true, choices: 1 };
    const more: Partial<RouteRequest> = { mayWait: true, excluded: this.#excluded, requestClass, hints };
    const request = requestOf({ resolved: resolved(this.#fabric), ...more });
    const decision = this.#fabric.router.select(request);
    if (decision.kind === 'wait' || decision.kind === 'wakeThenWait') return decision;
    // As the gateway does: who has something to do is no more in the queue.
    this.leave();
    this.ends += 1;
    this.came = decision.kind === 'refuse' ? `refused: ${decision.code}` : 'served';
    if (decision.kind !== 'refuse') this.claim = this.#fabric.router.claim(decision, request);
    return null;
  }

  release(outcome: AttemptOutcome): void {
    this.isReleased = true;
    this.claim?.release(outcome);
  }

  patienceOver(outlook: QueueOutlook): void {
    this.ends += 1;
    this.came = 'patience over';
    this.outlook = outlook;
  }

  displaced(outlook: QueueOutlook): void {
    this.ends += 1;
    this.came = 'displaced';
    this.outlook = outlook;
  }
}

/** Those who wait look again in a microtask. */
export const settled = (): Promise<void> => Promise.resolve();
