import { describe, expect, it } from 'vitest';
import { parseSystemJobs } from './parse-system-jobs.js';
import { readSleepSignal } from './read-sleep-signal.js';

const json = (member: string, data: boolean): string =>
  JSON.stringify({
    type: 'signal',
    endian: 'l',
    flags: 1,
    version: 1,
    cookie: 5123,
    sender: ':1.3',
    path: '/org/freedesktop/login1',
    interface: 'org.freedesktop.login1.Manager',
    member,
    payload: { type: 'b', data: [data] },
  });

describe('what logind tells of a suspend', () => {
  it.each([
    ['/org/freedesktop/login1: org.freedesktop.login1.Manager.PrepareForSleep (true,)', 'about_to_sleep'],
    ['/org/freedesktop/login1: org.freedesktop.login1.Manager.PrepareForSleep (false,)', 'awake'],
    ['/org/freedesktop/login1: org.freedesktop.login1.Manager.PrepareForShutdown (true,)', null],
    ['Monitoring signals on object /org/freedesktop/login1 owned by org.freedesktop.login1', null],
    ['The name org.freedesktop.login1 is owned by :1.3', null],
    [json('PrepareForSleep', true), 'about_to_sleep'],
    [json('PrepareForSleep', false), 'awake'],
    [json('PrepareForShutdown', true), null],
    ['{"member":"PrepareForSleep"', null],
    ['', null],
  ])('%#', (line, signal) => {
    expect(readSleepSignal(line)).toBe(signal);
  });
});

describe('why a service is stopped', () => {
  it.each([
    [
      '1234 poweroff.target                start waiting\n1299 ai-fabric-agent.service stop  running\n',
      'shutdown',
    ],
    ['  12 halt.target start waiting\n', 'shutdown'],
    ['1801 reboot.target            start waiting\n', 'restart'],
    ['1801 kexec.target start waiting\n', 'restart'],
    ['1299 ai-fabric-agent.service stop running\n', 'service_stop'],
    ['1299 ai-fabric-agent.service restart waiting\n', 'service_stop'],
    ['1801 reboot.target stop waiting\n', 'service_stop'],
    ['No jobs running.\n', 'service_stop'],
    ['', 'service_stop'],
  ])('%#', (jobs, reason) => {
    expect(parseSystemJobs(jobs)).toBe(reason);
  });
});
