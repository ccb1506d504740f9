import { describe, expect, test } from 'vitest';
import { missingAdoption, nearestContainers } from './missing-adoption.js';

describe('a container that is to be adopted and is not there', () => {
  test.each([
    ['vllm-armitge', ['postgres', 'vllm-armitage', 'vllm-wintermute'], 'vllm-armitage'],
    ['VLLM-Armitage', ['vllm-armitage', 'armitage'], 'vllm-armitage'],
    ['armitage', ['vllm-armitage', 'redis'], 'vllm-armitage'],
    ['abc', ['abd', 'abb'], 'abb'],
  ] as const)('%s is nearest to one of %j', (name, known, nearest) => {
    expect(nearestContainers(name, known)[0]).toBe(nearest);
  });

  test('is compared with three at most, and no longer than names are', () => {
    expect(nearestContainers('a', ['a1', 'a2', 'a3', 'a4'])).toEqual(['a1', 'a2', 'a3']);
    expect(nearestContainers('x'.repeat(10_000), ['y'.repeat(10_000)])).toHaveLength(1);
    expect(nearestContainers('a', [])).toEqual([]);
  });

  test('is said with the names of those that are', () => {
    const told = missingAdoption('vllm-armitge', ['vllm-armitage']);
    expect(told.code).toBe('container_not_found');
    expect(told.detail).toMatch(/vllm-armitge.*not there.*vllm-armitage\./);
    expect(told.fix).toMatch(/deployments adopt/);
    expect(missingAdoption('x', []).detail).toMatch(/none on this host/);
  });
});
