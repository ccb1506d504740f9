import { describe, expect, it } from 'vitest';
import { readPowerError } from './read-power-error.js';

describe('what the system says when it does not do it', () => {
  it.each([
    [
      'suspend',
      'Command failed: systemctl suspend --no-ask-password\nFailed to suspend system via logind: Interactive authentication required.\n',
      'power_denied',
    ],
    ['poweroff', 'Call to PowerOff failed: Access denied', 'power_denied'],
    [
      'suspend',
      'Command failed: systemctl suspend\nOperation inhibited by "gdm" (PID 812 "gsd-power", user gdm), reason is "handling".\n',
      'power_inhibited',
    ],
    [
      'suspend',
      'Call to Suspend failed: Operation denied due to active block inhibitor, wall message: no',
      'power_inhibited',
    ],
    [
      'suspend',
      'Failed to suspend system via logind: Sleep verb "suspend" is not configured or configuration is not supported by kernel',
      'power_not_supported',
    ],
    [
      'hibernate',
      'Failed to hibernate system via logind: Not enough swap space for hibernation',
      'power_not_supported',
    ],
    ['suspend', 'spawn systemctl ENOENT', 'power_not_supported'],
    ['reboot', 'Command failed: systemctl reboot\n\n', 'power_failed'],
  ])('%s: %s', (verb, text, code) => {
    expect(readPowerError(verb, text).code).toBe(code);
  });

  it('is told in its own words, with what mends it', () => {
    const { message } = readPowerError(
      'suspend',
      'Command failed: systemctl suspend\nFailed to suspend: Access denied\n',
    );
    expect(message).toContain('Failed to suspend: Access denied.');
    expect(message).toContain('polkit');
    expect(message).not.toContain('Command failed');
  });
});
