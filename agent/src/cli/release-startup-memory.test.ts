import { expect, test } from 'vitest';
import { releaseStartupMemory } from './release-startup-memory.js';

test('what nobody needs any more is given back at once', () => {
  const filled = (): number => {
    const garbage = Array.from({ length: 400_000 }, (_, n) => ({ n }));
    return garbage.length > 0 ? process.memoryUsage().heapUsed : 0;
  };
  const withGarbage = filled();
  releaseStartupMemory();
  expect(process.memoryUsage().heapUsed).toBeLessThan(withGarbage - 10_000_000);
});
