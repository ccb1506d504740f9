import { systemClock } from '@ai-fabric/shared';
import { expect, test } from 'vitest';
import { readSystemFacts } from './system-facts.js';

test('what is known of the system is asked for once, however many agents ask', async () => {
  const [first, beside] = await Promise.all([readSystemFacts(systemClock()), readSystemFacts(systemClock())]);
  expect(beside).toBe(first);
  expect(first.osName).not.toBe('');
  if (first.osName !== null && first.cpuModel !== null) {
    expect(await readSystemFacts(systemClock())).toBe(first);
  }
});
