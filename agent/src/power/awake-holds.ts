import type { Clock, Timer } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { PowerPort } from './power-port.js';

/** `command`: the control plane's lease. `wake`: the agent's own, so that a machine that was just woken stays up. */
export type AwakeReason = 'command' | 'wake';

/** The reasons for which the machine is kept awake; each has an end. */
export class AwakeHolds {
  readonly #port: PowerPort;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #ends = new Map<AwakeReason, Timer>();

  constructor(port: PowerPort, clock: Clock, log: Logger) {
    this.#port = port;
    this.#clock = clock;
    this.#log = log;
  }

  /** Holds for so long from now, whatever the same reason said before; 0 lets go. @throws PowerError */
  async hold(reason: AwakeReason, seconds: number): Promise<void> {
    if (seconds === 0) return this.letGo(reason);
    this.#ends.get(reason)?.cancel();
    this.#ends.set(
      reason,
      this.#clock.after(seconds * 1_000, () => this.letGo(reason)),
    );
    try {
      await this.#port.hold();
    } catch (error) {
      this.letGo(reason);
      throw error;
    }
  }

  letGo(reason: AwakeReason): void {
    this.#ends.get(reason)?.cancel();
    const wasHeld = this.#ends.delete(reason);
    if (!wasHeld || this.#ends.size > 0) return;
    this.#log.debug('power: the machine may sleep');
    this.#port.release();
  }

  letAllGo(): void {
    for (const reason of [...this.#ends.keys()]) this.letGo(reason);
  }
}
