import type { WakeDesk, WakeTicket } from '../fleet/wake-desk.js';
import type { WakeFlight } from '../live/host-power.js';
import type { Waking } from '../router/route-types.js';
import type { GatewayParts } from './gateway-parts.js';

interface Asker {
  readonly role: string;
  readonly keyId: string;
}

interface WakeWish extends Waking {
  readonly wakesAnother?: boolean;
}

/** What one request asked of the fleet: made with its first wake, since most requests have none. */
export class WakeWait {
  readonly #parts: Pick<GatewayParts, 'wakes' | 'live'>;
  readonly #asker: Asker;
  #ticket: WakeTicket | null = null;
  #refusal: string | null = null;
  #isNoOther = false;

  constructor(parts: Pick<GatewayParts, 'wakes' | 'live'>, { role, keyId }: Asker) {
    this.#parts = parts;
    this.#asker = { role, keyId };
  }

  /** Why no host is woken for it, in the fleet's words; `null`: that was not said. */
  get refusal(): string | null {
    return this.#refusal;
  }

  /** It asked for another host than the one that is on its way, in vain. */
  get isNoOther(): boolean {
    return this.#isNoOther;
  }

  /** The wake that it waits for; `null`: it waits for none, or that one is over. */
  get flight(): WakeFlight | null {
    if (this.#ticket === null) return null;
    const { host, wakeId } = this.#ticket;
    const flight = this.#parts.live.host(host)?.power.flight ?? null;
    return flight?.wakeId === wakeId ? flight : null;
  }

  /**
   * Wakes a host of one of these, unless the wake that it asked for is still under way and does.
   *
   * @param isHeld it waits for that
   * @returns false where the fleet wakes none, or none that is in time beside one that is not
   */
  ask({ wake, wakeWithinMs, wakesAnother = false }: WakeWish, isHeld: boolean): boolean {
    const isUnderWay = this.flight !== null && !wakesAnother;
    if (isUnderWay && isHeld) return true;
    this.leave();
    if (isUnderWay) return true;
    const asked = { deployments: wake, ...this.#asker, isHeld, withinMs: wakeWithinMs };
    const answer = this.#parts.wakes.wake(asked);
    if ('refused' in answer) {
      this.#refusal = answer.detail;
      return false;
    }
    if (isHeld) this.#ticket = answer;
    this.#isNoOther ||= wakesAnother && !answer.isInTime;
    return !(wakesAnother && !answer.isInTime);
  }

  /** It waits no more. Safe to call again. */
  leave(): void {
    this.#ticket?.leave();
    this.#ticket = null;
  }
}

/** Where there is no fleet. */
export const NOBODY_WAKES: WakeDesk = {
  wake: () => ({ refused: 'not_wakeable', detail: 'this control plane wakes no hosts' }),
};
