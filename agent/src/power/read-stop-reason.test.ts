import { ManualClock } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import { readStopReason } from './read-stop-reason.js';

const REBOOT = '120 reboot.target start waiting\n121 ai-fabric-agent.service stop running\n';

describe('why the agent is told to stop', () => {
  it('is what systemd is about to do, also on a machine that answers after seconds', async () => {
    const clock = new ManualClock();
    let answer: (text: string) => void = () => undefined;
    const jobs = new Promise<string>((resolve) => {
      answer = resolve;
    });
    const reason = readStopReason('linux', clock, { tool: () => jobs, isAskable: () => true });
    clock.advance(3_500);
    answer(REBOOT);
    expect(await reason).toBe('restart');
  });

  it.each([
    ['never answers', () => new Promise<string>(() => undefined)],
    ['fails', () => Promise.reject(new Error('no bus'))],
    ['knows of no job', () => Promise.resolve('')],
  ])('is the service’s own end where systemd %s', async (_, tool) => {
    const clock = new ManualClock();
    const reason = readStopReason('linux', clock, { tool, isAskable: () => true });
    clock.advance(4_000);
    expect(await reason).toBe('service_stop');
  });

  it.each(['linux', 'win32'] as const)('is not asked for where there is no systemd: %s', async (platform) => {
    const tool = () => Promise.reject(new Error('it was asked'));
    expect(await readStopReason(platform, new ManualClock(), { tool, isAskable: () => false })).toBe(
      'service_stop',
    );
  });
});
