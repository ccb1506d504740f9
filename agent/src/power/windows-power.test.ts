import { systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { readHelperLine } from './decide/read-helper-line.js';
import type { PowerPort } from './power-port.js';
import { WINDOWS_HELPER_SCRIPT } from './windows-helper-script.js';
import { windowsPower } from './windows-power.js';

const ports: PowerPort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

/** Speaks as the helper does: `answers` says what it prints for a verb. */
function withHelper(
  answers: Readonly<Record<string, string>>,
  before = 'ready',
): { port: PowerPort; ran: string[] } {
  const script = `
    process.stdout.write(${JSON.stringify(`${before}\r\n`)});
    const answers = ${JSON.stringify(answers)};
    require('node:readline').createInterface({ input: process.stdin }).on('line', (verb) => {
      if (answers[verb] === 'die') process.exit(3);
      if (answers[verb]) process.stdout.write(answers[verb] + '\\r\\n');
    });`;
  const ran: string[] = [];
  const port = windowsPower({
    windowsDirectory: 'C:\\Windows',
    runTool: (file, args) => {
      ran.push([file, ...args].join(' '));
      return Promise.resolve('');
    },
    clock: systemClock(),
    log: pino({ level: 'silent' }),
    helper: { file: process.execPath, args: ['-e', script] },
  });
  ports.push(port);
  return { port, ran };
}

describe('the power of a Windows machine', () => {
  it('is held and let go, time and again, by a helper', async () => {
    const { port } = withHelper({ hold: 'ok hold' });
    await port.hold();
    await port.hold();
    port.release();
    await port.hold();
  });

  it('suspends by the helper, whatever a profile prints before', async () => {
    const { port } = withHelper({ suspend: 'ok suspend' }, 'Welcome, Batou!\r\nready');
    await port.act('suspend');
  });

  it.each([
    ['failed suspend 1314', 'power_denied'],
    ['failed suspend 50', 'power_not_supported'],
    ['failed suspend 31', 'power_failed'],
  ])('says why it does not: %s', async (answer, code) => {
    const { port } = withHelper({ suspend: answer });
    await expect(port.act('suspend')).rejects.toMatchObject({ code });
  });

  it('says when its helper dies, and starts another for the next', async () => {
    const { port } = withHelper({ suspend: 'die', hold: 'ok hold' });
    await expect(port.act('suspend')).rejects.toMatchObject({
      message: expect.stringContaining('its helper ended'),
    });
    await port.hold();
  });

  it('says when there is no PowerShell', async () => {
    const port = windowsPower({
      windowsDirectory: 'C:\\Windows',
      runTool: () => Promise.resolve(''),
      clock: systemClock(),
      log: pino({ level: 'silent' }),
      helper: { file: '/nowhere/powershell.exe', args: [] },
    });
    await expect(port.hold()).rejects.toMatchObject({ code: 'power_failed' });
  });

  it.each([
    ['poweroff', '/s'],
    ['reboot', '/r'],
  ] as const)('%s is a full shutdown', async (verb, flag) => {
    const { port, ran } = withHelper({});
    await port.act(verb);
    expect(ran).toEqual([`C:\\Windows\\System32\\shutdown.exe ${flag} /t 0 /d p:0:0`]);
  });
});

describe('the helper', () => {
  it.each([
    ['ready', { kind: 'ready' }],
    ['ok hold\r', { kind: 'ok', verb: 'hold' }],
    ['failed hibernate 50', { kind: 'failed', verb: 'hibernate', code: 50 }],
    ['failed suspend', { kind: 'failed', verb: 'suspend', code: 0 }],
    ['ok explode', null],
    ['already', null],
    ['', null],
  ])('%j', (line, word) => {
    expect(readHelperLine(line)).toEqual(word);
  });

  it('asks for the system alone, and never by rundll32', () => {
    expect(WINDOWS_HELPER_SCRIPT).toContain('[uint32]2147483649');
    expect(WINDOWS_HELPER_SCRIPT).toContain('SetSuspendState($false, $false, $false)');
    expect(WINDOWS_HELPER_SCRIPT).not.toContain('rundll32');
  });
});
