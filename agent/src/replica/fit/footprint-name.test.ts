import type { VllmReplica } from '@ai-fabric/shared';
import { describe, expect, test } from 'vitest';
import { footprintName } from './footprint-name.js';

const desired: VllmReplica = {
  ...{ deployment: 'qwen', task: 'chat', engine: 'vllm', servedModel: 'qwen' },
  ...{ model: 'Qwen/Qwen2.5-7B-Instruct', revision: null, image: 'vllm/vllm-openai:v1' },
  ...{ quantization: null, contextTokens: 8_192, maxConcurrent: 8, gpuMemoryRatio: null },
  ...{ extraArguments: [], environment: {}, gpu: { select: 'any' }, readyWithinSeconds: 60 },
  ...{ drainWithinSeconds: 5, reach: 'tunnel', port: null, parkable: false, wish: 'running' },
  ...{ restartCount: 0, adopt: null, fallbacks: [{ contextTokens: 4_096 }] },
};

describe('what a learned footprint belongs to', () => {
  test.each<Partial<VllmReplica>>([
    { model: 'Qwen/Qwen2.5-3B-Instruct' },
    { revision: 'abc' },
    { image: 'vllm/vllm-openai:v2' },
    { task: 'embeddings' },
    { quantization: 'awq' },
    { contextTokens: 4_096 },
    { maxConcurrent: 2 },
    { gpuMemoryRatio: 0.5 },
    { extraArguments: ['--kv-cache-dtype=fp8'] },
    { parkable: true },
    { environment: { VLLM_ATTENTION_BACKEND: { value: 'FLASHINFER' } } },
  ])('is another with %j', (change) => {
    expect(footprintName({ ...desired, ...change }, 0)).not.toBe(footprintName(desired, 0));
  });

  test.each<Partial<VllmReplica>>([
    { deployment: 'other', servedModel: 'other' },
    { port: 8_001, reach: 'direct' },
    { wish: 'stopped', restartCount: 3 },
    { readyWithinSeconds: 600 },
    { environment: { HF_TOKEN: { env: 'HF_TOKEN' } } },
  ])('is the same with %j', (change) => {
    expect(footprintName({ ...desired, ...change }, 0)).toBe(footprintName(desired, 0));
  });

  test('is that of the fallbacks in force', () => {
    expect(footprintName(desired, 1)).toBe(footprintName({ ...desired, contextTokens: 4_096 }, 0));
    expect(footprintName(desired, 0)).toMatch(/^Qwen\/Qwen2\.5-7B-Instruct [0-9a-f]{16}$/);
  });
});
