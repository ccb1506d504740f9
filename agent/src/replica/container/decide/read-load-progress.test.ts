import { describe, expect, test } from 'vitest';
import { readLoadProgress, readWeightBytes } from './read-load-progress.js';

describe("a loading engine's log", () => {
  test.each([
    [
      'Loading safetensors checkpoint shards:  50% Completed | 2/4 [00:03<00:03,  1.5s/it]',
      'loading weights, 2 of 4 files',
    ],
    ['model-00001-of-00004.safetensors:  40%|████      | 1.9G/4.9G', 'downloading weights, 40 %'],
    [
      'Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  61%|██████▏   | 41/67',
      'capturing CUDA graphs, 61 %',
    ],
    ['Capturing CUDA graph shapes:  10%|█         | 3/35', 'capturing CUDA graphs, 10 %'],
    [
      'INFO 11-24 [gpu_model_runner.py:2602] Starting to load model Qwen/Qwen2.5-7B-Instruct-AWQ...',
      'loading weights',
    ],
    ['INFO Loading weights took 1.21 seconds', 'weights are loaded'],
    ['INFO torch.compile takes 17.02 s in total', 'compiling'],
    ['INFO Dynamo bytecode transform time: 6.01 s', 'compiling'],
    ['INFO GPU KV cache size: 32,128 tokens', 'laying out the KV cache'],
    [
      'INFO init engine (profile, create kv cache, warmup model) took 33.75 seconds',
      'the engine is initialised',
    ],
    ['INFO:     Started server process [1]', 'opening its server'],
  ])('%s', (line, text) => {
    expect(readLoadProgress(line)?.text).toBe(text);
  });

  test('says nothing in other lines', () => {
    expect(readLoadProgress('INFO 10.0.0.1 - "POST /v1/chat/completions HTTP/1.1" 200 OK')).toBeNull();
    expect(readLoadProgress('x'.repeat(1_000_000))).toBeNull();
  });

  test('tells what the weights take of the card', () => {
    expect(readWeightBytes('Model loading took 5.2035 GiB and 3.42 seconds')).toBe(
      Math.round(5.2035 * 1024 ** 3),
    );
    expect(readWeightBytes('Model loading took 1.2 GB')).toBe(1_200_000_000);
    expect(readWeightBytes('Loading weights took 5 seconds')).toBeNull();
  });
});
