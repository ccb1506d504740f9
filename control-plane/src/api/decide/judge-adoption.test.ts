import { describe, expect, test } from 'vitest';
import { judgeAdoption } from './judge-adoption.js';

const free = (...names: string[]) => names.map((name) => ({ name, deployment: null }));

describe('a container to adopt', () => {
  test('that is there and free can be', () => {
    expect(judgeAdoption('armitage', 'vllm-armitage', free('vllm-armitage'))).toBeNull();
  });

  test.each([
    [
      'a typo',
      free('postgres', 'vllm-armitage'),
      /no container "vllm-armitge".*did you mean vllm-armitage\?/,
    ],
    ['nothing like it', free('postgres', 'redis'), /there are: postgres, redis$/],
    ['an empty host', [], /there is none to adopt$/],
    ['many', free(...Array.from({ length: 14 }, (_, at) => `job-${at}`)), /job-9, and 4 more$/],
  ] as const)('that is not there is named with what is: %s', (_, seen, detail) => {
    expect(judgeAdoption('armitage', 'vllm-armitge', seen)).toEqual({
      code: 'not_found',
      detail: expect.stringMatching(detail),
    });
  });

  test('that a deployment has is not proposed, and not given', () => {
    const seen = [{ name: 'ai-fabric-qwen', deployment: 'qwen' }];
    expect(judgeAdoption('armitage', 'ai-fabric-qwen', seen)).toMatchObject({ code: 'in_use' });
    expect(judgeAdoption('armitage', 'ai-fabric-qwem', seen)?.detail).not.toMatch(/ai-fabric-qwen/);
  });
});
