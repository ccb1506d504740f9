import { expect, test } from 'vitest';
import type { ServiceEnding } from '../host-checks.js';
import { describeEnding } from './describe-ending.js';

const ending: ServiceEnding = { isRetried: true, restarts: 7, how: 'exit code 1', lastWords: 'error: no.' };

test.each<[Partial<ServiceEnding>, string]>([
  [{}, 'The service keeps ending (exit code 1, started again 7 times): error: no.'],
  [{ how: null, restarts: 2, lastWords: null }, 'The service keeps ending (started again 2 times).'],
  [{ how: null, restarts: null, lastWords: null }, 'The service keeps ending.'],
  [{ restarts: 0 }, 'The service has ended, and is about to be started again (exit code 1): error: no.'],
  [
    { isRetried: false, restarts: 0, how: 'signal 9', lastWords: null },
    'The service has ended, and nothing starts it again (signal 9).',
  ],
])('%j is told as: %s', (change, says) => {
  expect(describeEnding({ ...ending, ...change }, 'linux').says).toBe(says);
});

test('what shows more, and what starts one that nothing starts', () => {
  expect(describeEnding(ending, 'linux').fix).toMatch(/journalctl -u ai-fabric-agent/);
  expect(describeEnding(ending, 'linux').fix).not.toContain('systemctl start');
  expect(describeEnding({ ...ending, isRetried: false }, 'linux').fix).toContain('systemctl start');
  expect(describeEnding(ending, 'win32').fix).toContain('agent.log');
});
