import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenAiSimulatorOptions } from '../simulators/openai/options.js';
import { type OpenAiSimulator, startOpenAiSimulator } from '../simulators/openai/start-openai-simulator.js';
import type { ProviderSpec } from './fabric-yaml.js';

const API_KEY = 'sk-simulated-key-of-the-provider';

/** A simulated provider, and the file that holds its key. */
export class CloudProvider {
  readonly simulator: OpenAiSimulator;
  readonly #directory: string;

  private constructor(simulator: OpenAiSimulator, directory: string) {
    this.simulator = simulator;
    this.#directory = directory;
  }

  static async start(options: Partial<OpenAiSimulatorOptions> = {}): Promise<CloudProvider> {
    const directory = mkdtempSync(join(tmpdir(), 'ai-fabric-provider-'));
    writeFileSync(join(directory, 'api.key'), `${API_KEY}\n`, { mode: 0o600 });
    return new CloudProvider(await startOpenAiSimulator({ apiKey: API_KEY, ...options }), directory);
  }

  get keyFile(): string {
    return join(this.#directory, 'api.key');
  }

  /** As fabric.yaml declares it: `strong` and `cheap`. */
  get spec(): ProviderSpec {
    return {
      baseUrl: this.simulator.baseUrl,
      apiKey: { file: this.keyFile },
      endpoints: ['chat', 'completions', 'embeddings', 'responses'],
      models: { strong: { model: 'gpt-5' }, cheap: { model: 'gpt-5-mini' } },
    };
  }

  async close(): Promise<void> {
    await this.simulator.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
