import type { LookResult } from '../decide/replica-observation.js';
import type { EngineAddress } from '../engine-address.js';
import type { EngineProbe, LookStep } from '../engine-probe.js';
import type { StepResult } from './decide/container-step.js';
import type { EngineSleep } from './engine-sleep.js';
import type { KeptTools } from './kept-tools.js';

const NO_PORT: LookResult = { kind: 'odd', detail: 'The container publishes no port of the engine.' };

/** The engine inside the container, wherever it listens by now: connections are opened anew when that changes. */
export class EngineDoor {
  readonly #tools: Pick<KeptTools, 'openProbe' | 'openSleep'>;
  #address: EngineAddress | null = null;
  #probe: EngineProbe | null = null;
  #sleep: EngineSleep | null = null;

  constructor(tools: Pick<KeptTools, 'openProbe' | 'openSleep'>) {
    this.#tools = tools;
  }

  get address(): EngineAddress | null {
    return this.#address;
  }

  moveTo(address: EngineAddress | null): void {
    const before = this.#address;
    if (before?.host === address?.host && before?.port === address?.port && before?.key === address?.key)
      return;
    this.close();
    this.#address = address;
  }

  look(step: LookStep, signal: AbortSignal): Promise<LookResult> {
    if (this.#address === null) return Promise.resolve(NO_PORT);
    this.#probe ??= this.#tools.openProbe(this.#address);
    return this.#probe.look(step, signal);
  }

  async isAsleep(signal: AbortSignal): Promise<StepResult> {
    const sleep = this.#open();
    if (sleep === null) return { kind: 'looked', look: NO_PORT };
    try {
      return { kind: 'asleep', asleep: await sleep.isAsleep(signal) };
    } catch (error) {
      if (signal.aborted) return { kind: 'aborted' };
      return { kind: 'looked', look: { kind: 'silent', detail: String(error) } };
    }
  }

  async sleep(signal: AbortSignal): Promise<void> {
    await this.#open()?.sleep(signal);
  }

  async wakeUp(signal: AbortSignal): Promise<void> {
    await this.#open()?.wakeUp(signal);
  }

  close(): void {
    this.#probe?.close();
    this.#sleep?.close();
    this.#probe = null;
    this.#sleep = null;
  }

  #open(): EngineSleep | null {
    if (this.#address === null) return null;
    this.#sleep ??= this.#tools.openSleep(this.#address);
    return this.#sleep;
  }
}
