import { describe, expect, test } from 'vitest';
import { parseLoginctl, parseSessionIds } from './parse-loginctl.js';
import { parseQueryUser } from './parse-query-user.js';

const session = (more: Record<string, string>): string =>
  Object.entries({ Class: 'user', Remote: 'no', State: 'active', IdleHint: 'no', ...more })
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');

describe('who is at a Linux host', () => {
  test('is known by the ids of its sessions', () => {
    expect(parseSessionIds('      2 1000 alice seat0 tty2\n     c1  120 gdm   seat0\n\n')).toEqual([
      '2',
      'c1',
    ]);
    expect(parseSessionIds('No sessions.')).toEqual(['No']);
    expect(parseSessionIds('')).toEqual([]);
  });

  test.each([
    ['somebody at it', [session({})], true, false],
    ['somebody who left it alone', [session({ IdleHint: 'yes' })], false, false],
    ['the greeter', [session({ Class: 'greeter' })], false, false],
    ['somebody who signs out', [session({ State: 'closing' })], false, false],
    ['somebody over SSH', [session({ Remote: 'yes' })], false, true],
    ['an SSH session that was forgotten', [session({ Remote: 'yes', IdleHint: 'yes' })], false, false],
    ['both', [session({}), session({ Remote: 'yes' })], true, true],
    ['nobody', [], false, false],
  ])('%s', (_what, blocks, present, remoteSession) => {
    expect(parseLoginctl(blocks.join('\n\n'))).toEqual({ present, remoteSession });
  });
});

describe('who is at a Windows host', () => {
  const heading = ' USERNAME              SESSIONNAME        ID  STATE   IDLE TIME  LOGON TIME';
  const rows = {
    console: '>alice                 console             1  Active      none   11/29/2026 7:11 AM',
    idle: '>alice                 console             1  Active      1:20   11/29/2026 7:11 AM',
    remote: ' bob                   rdp-tcp#3           2  Active          5  11/29/2026 8:02 AM',
    remoteIdle: ' bob                   rdp-tcp#3           2  Active    2+03:00  11/29/2026 8:02 AM',
    left: ' carol                                     3  Disc        12  11/28/2026 9:00 AM',
    german: ' alice                 console             1  Aktiv       Kein   29.11.2026 07:11',
  } as const;

  test.each([
    ['somebody at it', [rows.console], true, false],
    ['somebody who left it alone', [rows.idle], false, false],
    ['somebody over the network', [rows.remote], false, true],
    ['somebody who left that alone', [rows.remoteIdle], false, false],
    ['somebody who only disconnected', [rows.left], false, false],
    ['somebody at a German one', [rows.german], true, false],
    ['all of them', Object.values(rows), true, true],
    ['nobody', [], false, false],
  ])('%s', (_what, lines, present, remoteSession) => {
    expect(parseQueryUser([heading, ...lines].join('\r\n'))).toEqual({ present, remoteSession });
  });

  test('nobody, which it says in words and with an exit code', () => {
    expect(parseQueryUser('No User exists for *')).toEqual({ present: false, remoteSession: false });
  });
});
