import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { SAMPLE_CARDS, type SimulatedCard } from '../simulators/nvidia-smi/scenario.js';
import { checkoutRoot } from './child-program.js';

/** A simulated machine of the reference estate: its card, and what runs on it. */
export interface SimulatedMachine {
  readonly name: string;
  readonly card: SimulatedCard;
  /** Of its network card. */
  readonly mac: string;
  readonly engines: readonly SimulatedEngine[];
}

export interface SimulatedEngine {
  readonly deployment: string;
  readonly model: string;
  readonly task: 'chat' | 'embeddings';
  readonly tokensPerSecond: number;
  readonly maxModelLen: number;
}

const QWEN_7B = 'Qwen/Qwen2.5-7B-Instruct-AWQ';
const QWEN_3B = 'Qwen/Qwen2.5-3B-Instruct-AWQ';
const LLAMA_8B = 'hugging-quants/Meta-Llama-3.1-8B-Instruct-AWQ-INT4';
const BGE = 'BAAI/bge-base-en-v1.5';

/** The only thing that the demo adds to the reference estate: with it two cards compete for `chat-fast`. */
export const SECOND_CHAT = 'qwen2.5-3b-motoko';

export const machines: readonly SimulatedMachine[] = [
  {
    name: 'motoko',
    mac: '52:54:00:20:80:01',
    card: { ...SAMPLE_CARDS.rtx2080, load: 0.2 },
    engines: [
      {
        deployment: 'bge-base-motoko',
        model: BGE,
        task: 'embeddings',
        tokensPerSecond: 400,
        maxModelLen: 512,
      },
      { deployment: SECOND_CHAT, model: QWEN_3B, task: 'chat', tokensPerSecond: 60, maxModelLen: 16_384 },
    ],
  },
  {
    name: 'armitage',
    mac: '52:54:00:40:70:01',
    card: { ...SAMPLE_CARDS.rtx4070, name: 'NVIDIA GeForce RTX 4070', load: 0.35 },
    engines: [
      {
        deployment: 'qwen2.5-7b-armitage',
        model: QWEN_7B,
        task: 'chat',
        tokensPerSecond: 60,
        maxModelLen: 16_384,
      },
    ],
  },
  {
    name: 'wintermute',
    mac: '52:54:00:40:70:02',
    card: { ...SAMPLE_CARDS.rtx4070Super, load: 0.1 },
    engines: [
      {
        deployment: 'llama31-8b-wintermute',
        model: LLAMA_8B,
        task: 'chat',
        tokensPerSecond: 50,
        maxModelLen: 32_768,
      },
    ],
  },
];

export const EXPECTED_MODELS = [
  'chat-deep',
  'chat-fast',
  'embeddings-general',
  'llama31-8b-wintermute',
  'local/chat',
  'local/embed',
  'local/reasoner',
  'openai/cheap',
  'openai/strong',
  'qwen2.5-7b-armitage',
];

export const CLOUD_KEY_VARIABLE = 'AI_FABRIC_DEMO_CLOUD_KEY';

/**
 * The reference estate with the simulators' addresses in it.
 *
 * @param urls engine addresses by deployment
 * @param onAsleep what chat-deep does while wintermute sleeps
 */
export function demoFabricYaml(
  urls: ReadonlyMap<string, string>,
  cloudBaseUrl: string,
  thisHost: string,
  onAsleep: 'hold' | 'cloudThenLocal' = 'cloudThenLocal',
): string {
  const document = parseDocument(readFileSync(join(checkoutRoot, 'docs/examples/miket/fabric.yaml'), 'utf8'));
  document.commentBefore = " The reference estate of docs/examples/miket, with the demo's own addresses.";
  document.setIn(['hosts', thisHost], {});
  for (const machine of machines) {
    for (const engine of machine.engines) {
      const path = ['deployments', engine.deployment];
      const url = urls.get(engine.deployment);
      if (engine.deployment === SECOND_CHAT) {
        const { task, model: servedModel } = engine;
        document.setIn(path, {
          host: machine.name,
          task,
          engine: 'external',
          servedModel,
          listed: false,
          url,
        });
      } else {
        document.setIn([...path, 'url'], url);
      }
    }
  }
  document.setIn(
    ['roles', 'chat-fast', 'targets'],
    [
      { deployment: 'qwen2.5-7b-armitage' },
      { deployment: SECOND_CHAT },
      { deployment: 'llama31-8b-wintermute' },
      { provider: 'openai', model: 'cheap' },
    ],
  );
  // Seconds for what takes minutes elsewhere.
  document.setIn(['hosts', 'wintermute', 'wake'], { minimumUpMinutes: 0, cooldownMinutes: 0 });
  if (onAsleep === 'hold')
    document.setIn(['hosts', 'wintermute', 'sleep'], {
      ...{ action: 'poweroff', afterIdleMinutes: 0.1, drainSeconds: 1 },
    });
  document.setIn(['hosts', 'wintermute', 'owner'], { quietMinutes: 0.1, drainSeconds: 1 });
  document.setIn(['roles', 'chat-deep', 'onAsleep'], onAsleep);
  document.setIn(['providers', 'openai', 'baseUrl'], cloudBaseUrl);
  document.setIn(['providers', 'openai', 'apiKey'], { env: CLOUD_KEY_VARIABLE });
  return document.toString();
}
