import { describe, expect, test } from 'vitest';
import { containerText, contextText, describeGrowth, learnedText } from './print-deployments.js';

const GIB = 1024 ** 3;

describe('how the disk of a host will grow', () => {
  test.each([
    [
      { imageBytes: 20 * GIB, weightsBytes: 5 * GIB, freeBytes: 80 * GIB },
      'grows by some 25.0 GiB, 80.0 GiB free: x',
    ],
    [
      { imageBytes: null, weightsBytes: 5 * GIB, freeBytes: null },
      'grows by some 5.0 GiB, what is free is not known: x',
    ],
    [{ imageBytes: null, weightsBytes: null, freeBytes: GIB }, 'grows by what is not known, 1.0 GiB free: x'],
  ])('%j', (known, text) => {
    expect(describeGrowth({ ...known, detail: 'x' })).toBe(text);
  });
});

describe('what is known of a replica', () => {
  test('has no context while nobody knows it', () => {
    expect(contextText(null)).toBe('known when its engine has told it');
    expect(contextText(8192)).toBe('8192 tokens');
  });

  test('is since when it runs, and not since when it ran', () => {
    const container = { id: 'a'.repeat(64), image: 'vllm/vllm-openai:v1', adopted: false };
    expect(containerText({ ...container, startedAtMs: 1_000 }, 61_000)).toBe(
      'aaaaaaaaaaaa of vllm/vllm-openai:v1, started 60 s ago',
    );
    expect(containerText({ ...container, adopted: true, startedAtMs: null }, 61_000)).toBe(
      'aaaaaaaaaaaa of vllm/vllm-openai:v1, not running, adopted',
    );
  });
});

describe('what was learned of an engine', () => {
  const learned = {
    ...{ iterationSeconds: 0.0172, perDecodingSeconds: 0.0006, perPromptTokenSeconds: 0.00042 },
    ...{ observations: 240, bytesPerToken: 4.18, gaugeLagSeconds: 5, drift: 1 },
  };

  test('is told with what it comes from', () => {
    expect(learnedText(learned)).toBe(
      '17.2 ms an iteration, 0.60 ms more with each answer, 0.42 ms a prompt token (from 240 observations, 4.2 bytes a token, gauges 5 s late)',
    );
    expect(learnedText({ ...learned, gaugeLagSeconds: null, drift: 2.34 })).toContain(
      'token, of late 2.3 times as slow)',
    );
  });

  test('is called a guess before the first answer', () => {
    expect(learnedText({ ...learned, observations: 0 })).toContain('(a guess: it has answered nothing yet)');
  });
});
