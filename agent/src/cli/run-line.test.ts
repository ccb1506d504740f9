import { expect, test } from 'vitest';
import { exitCodesOf } from './exit-codes.js';
import { runLine } from './run-line.js';

test.each([
  [undefined, 'ai-fabric-agent run'],
  ['/var/lib/agent', 'ai-fabric-agent run --state /var/lib/agent'],
  ['/tmp/my agent', 'ai-fabric-agent run --state "/tmp/my agent"'],
])('the agent that was told of --state %s is started with it', (state, line) => {
  expect(runLine(state)).toBe(line);
});

test('a command tells the exit codes that it has, in its own words where it has some', () => {
  expect(exitCodesOf(['ok', 'an agent runs'], 'usage')).toBe(
    '\nExit codes:\n  0  an agent runs\n  2  wrong usage',
  );
});
