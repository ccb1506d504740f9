import { expect, test } from 'vitest';
import { startLine } from './start-line.js';

test.each([
  ['linux', true, 'sudo systemctl start ai-fabric-agent'],
  ['win32', true, 'Start-Service ai-fabric-agent (in a PowerShell of an administrator)'],
  ['linux', false, 'ai-fabric-agent run'],
] as const)('on %s, of a service: %s, an agent is started with: %s', (platform, isService, line) => {
  expect(startLine({ platform, isService, state: undefined })).toBe(line);
});

test('one with a state directory of its own is started with that', () => {
  expect(startLine({ platform: 'linux', isService: false, state: '/tmp/a' })).toBe(
    'ai-fabric-agent run --state /tmp/a',
  );
});
