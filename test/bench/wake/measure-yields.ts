import { AgentHost } from '../../harness/agent-host.js';
import { servedKeeper } from '../../harness/served-keeper.js';
import { eventually } from '../../simulators/common/eventually.js';
import { SAMPLE_CARDS } from '../../simulators/nvidia-smi/scenario.js';
import type { ControlPlaneProcess } from '../fabric/control-plane-process.js';
import { pause } from '../machine/pause.js';
import type { Rounds } from '../rounds.js';

const DESKTOP = { ...SAMPLE_CARDS.rtx4070, vramUsedMib: 600, load: 0 };
const GAME = { ...DESKTOP, vramUsedMib: 6_000, load: 0.95 };
/** As agents look where nothing is set. */
const CADENCE_MS = 2_000;
const DEADLINE_MS = 60_000;

/** A workstation with the real agent, a replica that gives its card back at once, and an owner who plays. */
export class YieldingHost {
  readonly #host: AgentHost;

  private constructor(host: AgentHost) {
    this.#host = host;
  }

  static async start(controlPlane: ControlPlaneProcess, name: string): Promise<YieldingHost> {
    const host = await AgentHost.prepare({
      ...{ name, cards: { cards: [DESKTOP] }, cadenceMs: CADENCE_MS, openKeeper: servedKeeper(() => 1) },
    });
    await host.join(`https://127.0.0.1:${controlPlane.tlsPort}`, await controlPlane.createJoinToken());
    await host.start();
    const isKnown = () => host.agent.status().owner?.foreignVramBytes != null;
    await eventually('its desktop is known', isKnown, DEADLINE_MS);
    return new YieldingHost(host);
  }

  /** A game starts, and ends. `yield_seconds`: from the first sample that shows it to the free card. */
  async measure(rounds: Rounds): Promise<void> {
    await this.#host.nvidiaSmi?.change({ cards: [GAME] });
    const startedAtMs = performance.now();
    await this.#until('yielded');
    rounds.add('yield_with_sampling_seconds', (performance.now() - startedAtMs) / 1_000);
    rounds.add('yield_seconds', this.#host.agent.status().owner?.freedSeconds ?? Number.NaN);
    await this.#host.nvidiaSmi?.change({ cards: [DESKTOP] });
    await this.#until('serving');
    // What its replica takes of the card is measured when it is back: a game of that moment would be taken for it.
    await pause(2 * CADENCE_MS);
  }

  close(): Promise<void> {
    return this.#host.remove();
  }

  #until(state: string): Promise<void> {
    return eventually(`it is ${state}`, () => this.#host.agent.status().owner?.state === state, DEADLINE_MS);
  }
}
