import { describe, expect, test } from 'vitest';
import { readVllmArguments } from './read-vllm-arguments.js';

const DEV = { VLLM_SERVER_DEV_MODE: '1' };

describe('what the simulated vLLM makes of its arguments', () => {
  test('is what vllm serve would make of them', () => {
    const argv = ['--model', 'org/name', '--served-model-name=chat', '--max-model-len', '4096'];
    expect(readVllmArguments([...argv, '--max-num-seqs', '4'], { VLLM_API_KEY: 'key' })).toEqual({
      ...{ model: 'chat', root: 'org/name', maxModelLen: 4_096, maxConcurrent: 4 },
      ...{ apiKey: 'key', sleepMode: false },
    });
    expect(readVllmArguments(['org/name', '--runner', 'pooling'], {})).toMatchObject({
      ...{ model: 'org/name', runner: 'pooling' },
    });
  });

  test.each([
    ['the flag and the development mode', ['--enable-sleep-mode'], DEV, true],
    ['the flag alone', ['--enable-sleep-mode'], {}, false],
    ['the development mode alone', [], DEV, false],
    ['another development mode', ['--enable-sleep-mode'], { VLLM_SERVER_DEV_MODE: '0' }, false],
  ])('has the paths of sleep mode with %s: %#', (_, argv, environment, sleepMode) => {
    expect(readVllmArguments(argv, environment)).toMatchObject({ sleepMode });
  });
});
