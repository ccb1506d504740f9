import { ManualClock } from '@ai-fabric/shared/testing';
import type { Logger } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { readStopReason } from './read-stop-reason.js';

const REBOOT = '120 reboot.target start waiting\n121 ai-fabric-agent.service stop running\n';
const windowsDirectory = 'C:\\Windows';

const failing: readonly [string, () => Promise<string>][] = [
  ['never answers', () => new Promise<string>(() => undefined)],
  ['fails', () => Promise.reject(new Error('no bus'))],
  ['knows of nothing', () => Promise.resolve('')],
];

const warned: unknown[] = [];
const log = { warn: (what: unknown) => void warned.push(what) } as unknown as Logger;
afterEach(() => {
  warned.length = 0;
});

describe('why the agent is told to stop', () => {
  it('is what systemd is about to do, also on a machine that answers after seconds', async () => {
    const clock = new ManualClock();
    let answer: (text: string) => void = () => undefined;
    const jobs = new Promise<string>((resolve) => {
      answer = resolve;
    });
    const parts = { platform: 'linux', windowsDirectory, clock, log, isAskable: () => true } as const;
    const reason = readStopReason({ ...parts, tool: () => jobs });
    clock.advance(3_500);
    answer(REBOOT);
    expect(await reason).toBe('restart');
  });

  it('is asked for anew where who asks was ended along with the service', async () => {
    const clock = new ManualClock();
    let asked = 0;
    const tool = (): Promise<string> => {
      asked += 1;
      return asked < 3 ? Promise.reject(new Error('Command failed: SIGTERM')) : Promise.resolve(REBOOT);
    };
    const parts = { platform: 'linux', windowsDirectory, clock, log, isAskable: () => true } as const;
    const reason = readStopReason({ ...parts, tool });
    for (let passedMs = 0; passedMs < 1_000; passedMs += 50) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(50);
    }
    expect(await reason).toBe('restart');
    expect(asked).toBe(3);
  });

  it('is what the event log of Windows says, as far as that is of this boot', async () => {
    const clock = new ManualClock(Date.parse('2026-11-30T02:00:02Z'));
    const asked: string[] = [];
    const xml =
      "<EventID Qualifiers='32768'>1074</EventID><TimeCreated SystemTime='2026-11-30T02:00:00.5Z'/>" +
      "<Data Name='param5'>power off</Data>";
    const ask = (uptimeSeconds: number) =>
      readStopReason({
        ...{ platform: 'win32', windowsDirectory, clock, log, uptimeSeconds: () => uptimeSeconds },
        tool: (file, args) => {
          asked.push([file, ...args.slice(0, 2)].join(' '));
          return Promise.resolve(xml);
        },
      });
    expect(await ask(3_600)).toBe('shutdown');
    expect(await ask(1)).toBe('service_stop');
    expect(asked[0]).toBe('C:\\Windows\\System32\\wevtutil.exe qe System');
  });

  it.each(
    (['linux', 'win32'] as const).flatMap((platform) => failing.map((each) => [platform, ...each] as const)),
  )('is the service’s own end where who is asked (%s) %s', async (platform, what, tool) => {
    const clock = new ManualClock();
    const reason = readStopReason({ platform, windowsDirectory, clock, log, tool, isAskable: () => true });
    for (let passedMs = 0; passedMs < 4_000; passedMs += 100) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(100);
    }
    expect(await reason).toBe('service_stop');
    expect(warned).toHaveLength(what === 'knows of nothing' ? 0 : 1);
  });

  it.each(['linux', 'darwin'] as const)(
    'is not asked for where there is no systemd: %s',
    async (platform) => {
      const tool = () => Promise.reject(new Error('it was asked'));
      const clock = new ManualClock();
      const parts = { platform, windowsDirectory, clock, log, tool, isAskable: () => false };
      expect(await readStopReason(parts)).toBe('service_stop');
    },
  );
});
