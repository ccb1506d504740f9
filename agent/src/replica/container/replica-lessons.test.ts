import type { VllmReplica } from '@ai-fabric/shared';
import { pino } from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { footprintName } from '../fit/footprint-name.js';
import { type KeptContainer, type KeptState, newKeptState } from './decide/container-state.js';
import { missingAdoption } from './decide/missing-adoption.js';
import { ReplicaLessons } from './replica-lessons.js';
import { ReplicaMemory } from './replica-memory.js';

const CARD = 'GPU-1';
const desired: VllmReplica = {
  ...{ deployment: 'qwen', task: 'chat', engine: 'vllm', servedModel: 'qwen' },
  ...{ model: 'Qwen/Qwen2.5-7B-Instruct', revision: null, image: 'vllm/vllm-openai:v1' },
  ...{ quantization: null, contextTokens: 8_192, maxConcurrent: 8, gpuMemoryRatio: null },
  ...{ extraArguments: [], environment: {}, gpu: { select: 'any' }, readyWithinSeconds: 60 },
  ...{ drainWithinSeconds: 5, reach: 'tunnel', port: null, parkable: false, wish: 'running' },
  ...{ restartCount: 0, adopt: null, fallbacks: [] },
};

let memory: ReplicaMemory;
let usedBytes: number | null;
let lessons: ReplicaLessons;

beforeEach(async () => {
  const files = {
    prepare: () => Promise.resolve(),
    read: () => Promise.resolve(null),
    write: () => Promise.resolve(),
  };
  memory = await ReplicaMemory.open('/state', files, pino({ level: 'silent' }));
  memory.update('qwen', { cards: [CARD] });
  usedBytes = 1e9;
  lessons = new ReplicaLessons({
    memory,
    recipe: { specHash: () => 'hash' } as never,
    host: {
      cardsAsked: () => Promise.resolve(),
      memoryFreeBytes: () => null,
      vramUsedBytes: () => usedBytes,
    },
  });
});

function running(more: Partial<KeptContainer> = {}): KeptState {
  const seen: KeptContainer = {
    ...{ kind: 'kept', id: 'c1', name: 'ai-fabric-qwen', image: desired.image, adopted: false },
    ...{ specHash: 'hash', offline: null, run: 'running', exitCode: null, oomKilled: false },
    ...{ startedAtMs: 1, address: null, drift: [], standsIn: null },
    ...more,
  };
  return { ...newKeptState(0, { restartsDone: 0, rung: 0 }), seen };
}

describe('a replica that got ready', () => {
  test('teaches what it takes of its card with the settings that it has, and with no others', () => {
    lessons.noteStart('qwen');
    usedBytes = 7e9;
    lessons.learn(desired, running());
    expect(memory.footprint(CARD, footprintName(desired, 0))).toBe(6e9);
    expect(memory.footprint(CARD, footprintName({ ...desired, contextTokens: 2_048 }, 0))).toBeNull();
  });

  test.each([
    ['adopted', { adopted: true }],
    ['there in place of another', { standsIn: missingAdoption('vllm-armitge', []) }],
  ])('teaches nothing where its container is %s: nobody knows its settings', (_, more) => {
    lessons.noteStart('qwen');
    usedBytes = 7e9;
    lessons.learn(desired, running(more));
    lessons.learnWeights(desired, running(more), 5e9);
    expect(memory.footprintOfModel(CARD, desired.model)).toBeNull();
    expect(lessons.weightBytes(desired, 0)).toBeNull();
  });

  test('teaches nothing where the card shows nothing, or was not seen before it started', () => {
    lessons.learn(desired, running());
    lessons.noteStart('qwen');
    usedBytes = null;
    lessons.learn(desired, running());
    expect(memory.footprintOfModel(CARD, desired.model)).toBeNull();
  });
});

describe('what weights take', () => {
  test('is what their engine measured, else their files, else what the model took with other settings', () => {
    const other = { ...desired, quantization: 'awq' as const };
    lessons.learnWeights(other, running(), 5e9);
    expect(lessons.weightBytes(desired, 0)).toBe(5e9);
    memory.learnWeights(desired.model, null, { complete: true, weightBytes: 15e9 });
    expect(lessons.weightBytes(desired, 0)).toBe(15e9);
    lessons.learnWeights(desired, running(), 14e9);
    expect(lessons.weightBytes(desired, 0)).toBe(14e9);
  });
});
