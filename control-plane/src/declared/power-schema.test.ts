import { describe, expect, it } from 'vitest';
import { checkFabricValue } from './check-fabric-value.js';

function findingsOf(host: object): string[] {
  const check = checkFabricValue({ version: 1, hosts: { armitage: host } });
  return check.ok ? [] : check.findings.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('what a fabric file says of power', () => {
  it.each<[string, object]>([
    ['a time zone', { timeZone: 'Europe/Berlin' }],
    ['hours over midnight', { wake: { quietHours: [{ from: '23:00', to: '07:30' }] } }],
    ['nothing of a section', { sleep: {}, owner: {}, wake: {}, energy: {} }],
  ])('may be %s', (_, host) => {
    expect(findingsOf(host)).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['a time zone that is none', { timeZone: 'Mars/Olympus' }, 'time zone'],
    ['an hour past the day', { wake: { quietHours: [{ from: '24:00', to: '07:30' }] } }, '22:30'],
    [
      'a day that is none',
      { sleep: { awakeHours: [{ from: '08:00', to: '09:00', days: ['funday'] }] } },
      'mon',
    ],
    ['an action that is none', { sleep: { action: 'hibernate' } }, 'suspend'],
    ['an unknown field', { owner: { autmatic: false } }, 'automatic'],
    ['less than nothing', { energy: { baseWatts: -1 } }, '0'],
  ])('may not be %s', (_, host, expected) => {
    const [finding, ...more] = findingsOf(host);
    expect(finding).toContain(expected);
    expect(more.length).toBeLessThan(2);
  });
});
