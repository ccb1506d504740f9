import { expect, it, test } from 'vitest';
import { joinLineWith, ownCommand, ownProgram, rejoinAdvice, startCommand } from './own-command.js';

test.each([
  ['linux', 'sudo ai-fabric-agent upgrade'],
  [
    'win32',
    '& "$env:ProgramFiles\\AI Fabric Agent\\ai-fabric-agent.cmd" upgrade (in a PowerShell of an administrator)',
  ],
] as const)('a command is told as it runs on %s', (platform, command) => {
  expect(ownCommand('upgrade', platform)).toBe(command);
  expect(command).toContain(ownProgram(platform));
});

test.each([
  ['linux', 'sudo systemctl start ai-fabric-agent'],
  ['win32', 'Start-Service ai-fabric-agent'],
] as const)('the service is started on %s', (platform, command) => {
  expect(startCommand(platform)).toBe(command);
});

it('puts an option of the printed line where both lines take it: they end in brackets', () => {
  expect(joinLineWith('--rejoin')).toBe(
    `the line that "ai-fabric token create" prints on the control plane, with --rejoin put behind its --pin '…' (in PowerShell -Pin '…')`,
  );
});

test.each(['linux', 'win32'] as const)(
  'a host joins anew by hand only where no install made it a service: %s',
  (platform) => {
    expect(rejoinAdvice(true, platform)).toBe(`Run ${joinLineWith('--rejoin')}.`);
    expect(rejoinAdvice(false, platform)).toContain(`${ownProgram(platform)} join --force`);
  },
);
