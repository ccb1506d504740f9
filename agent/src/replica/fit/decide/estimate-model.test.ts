import { describe, expect, it } from 'vitest';
import { estimateModel } from './estimate-model.js';

const gigabytes = (model: string, quantization: string | null = null): number | null => {
  const { weightsBytes } = estimateModel({ model, quantization, kvCacheType: null });
  return weightsBytes === null ? null : weightsBytes / 1e9;
};

/** Sizes of the weights at Hugging Face, in GB. */
const measured: readonly (readonly [string, number])[] = [
  ['Qwen/Qwen2.5-0.5B-Instruct', 0.99],
  ['Qwen/Qwen2.5-1.5B-Instruct', 3.1],
  ['Qwen/Qwen2.5-3B-Instruct', 6.2],
  ['Qwen/Qwen2.5-7B-Instruct', 15.2],
  ['Qwen/Qwen2.5-3B-Instruct-AWQ', 2.1],
  ['Qwen/Qwen2.5-7B-Instruct-AWQ', 5.6],
  ['Qwen/Qwen2.5-14B-Instruct-AWQ', 10],
  ['Qwen/Qwen2.5-32B-Instruct-AWQ', 19.3],
  ['Qwen/Qwen2.5-72B-Instruct-AWQ', 41.6],
  ['Qwen/Qwen2.5-7B-Instruct-GPTQ-Int4', 5.6],
  ['Qwen/Qwen2.5-7B-Instruct-GPTQ-Int8', 8.7],
  ['Qwen/Qwen2.5-VL-3B-Instruct-AWQ', 3.4],
  ['Qwen/Qwen2.5-VL-7B-Instruct-AWQ', 6.9],
  ['Qwen/Qwen3-0.6B', 1.5],
  ['Qwen/Qwen3-4B-AWQ', 2.7],
  ['Qwen/Qwen3-8B-AWQ', 6.1],
  ['Qwen/Qwen3-8B-FP8', 9.4],
  ['Qwen/Qwen3-30B-A3B', 61],
  ['Qwen/Qwen3-Embedding-0.6B', 1.2],
  ['hugging-quants/Meta-Llama-3.1-8B-Instruct-AWQ-INT4', 5.7],
  ['meta-llama/Llama-3.2-1B-Instruct', 2.5],
  ['meta-llama/Llama-3.1-70B-Instruct', 141],
  ['RedHatAI/Meta-Llama-3.1-8B-Instruct-FP8', 9.1],
  ['mistralai/Mixtral-8x7B-Instruct-v0.1', 93.4],
  ['TheBloke/Mixtral-8x7B-Instruct-v0.1-AWQ', 24.7],
  ['openai/whisper-large-v3-turbo', 1.6],
  ['openai/whisper-small', 0.5],
  ['microsoft/Phi-3.5-mini-instruct', 7.6],
  ['openai/gpt-oss-20b', 13.8],
];

describe('the weights of a model, by its name', () => {
  it.each(measured)('%s: about %d GB', (model, size) => {
    const estimate = gigabytes(model);
    expect(estimate).not.toBeNull();
    expect((estimate ?? 0) / size).toBeGreaterThan(0.75);
    expect((estimate ?? 0) / size).toBeLessThan(1.5);
  });

  it.each(['org/my-model', 'org/v2', 'org/model-1b5x', 'org/abc', 'org/rwkv', 'org/sub4bit'])(
    '%s says nothing of its size',
    (model) => {
      expect(gigabytes(model)).toBeNull();
    },
  );

  it.each([
    ['awq', 0.8],
    ['gptq', 0.8],
    ['fp8', 1.2],
    ['bitsandbytes', 0.8],
    [null, 2.1],
  ])('declared as %s, a parameter takes %d bytes', (quantization, bytes) => {
    expect(gigabytes('org/model-7b', quantization)).toBeCloseTo(7 * bytes);
  });

  it('an organisation says nothing of it', () => {
    expect(gigabytes('70b-awq/tiny-1b')).toBeGreaterThan(0.5);
    expect(gigabytes('org-70b/model')).toBeNull();
  });
});

describe('keys and values of a token', () => {
  const kv = (model: string, kvCacheType: string | null = null) =>
    estimateModel({ model, quantization: null, kvCacheType }).kvBytesPerToken;

  it.each([
    ['Qwen/Qwen2.5-3B-Instruct', 36_864],
    ['Qwen/Qwen2.5-7B-Instruct-AWQ', 57_344],
    ['Qwen/Qwen2.5-Coder-7B-Instruct', 57_344],
    ['Qwen/Qwen3-8B-AWQ', 147_456],
    ['meta-llama/Llama-3.1-8B-Instruct', 131_072],
    ['meta-llama/Llama-3.2-1B', 32_768],
    ['unknown/model-7b', 147_456],
    ['unknown/model', 147_456],
    ['unknown/model-400b', 335_872],
    ['BAAI/bge-m3', 0],
    ['intfloat/multilingual-e5-large', 0],
    ['openai/whisper-small', 0],
  ])('%s: %d bytes', (model, bytes) => {
    expect(kv(model)).toBe(bytes);
  });

  it('are half in eight bits', () => {
    expect(kv('Qwen/Qwen3-8B', 'fp8')).toBe(73_728);
    expect(kv('Qwen/Qwen3-8B', 'fp8_e5m2')).toBe(73_728);
    expect(kv('Qwen/Qwen3-8B', 'auto')).toBe(147_456);
  });
});
