import { describe, expect, it } from 'vitest';
import { readSockets, readUnit } from './read-sockets.js';

describe('/proc/net/tcp', () => {
  it('tells who listens, and nothing of connections or other lines', () => {
    const text = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 41231 1 0',
      '   1: 0100007F:1F40 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 41299 1 0',
      '   2: 00000000000000000000000000000000:20FB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 998 0 77 1 0',
      'garbage',
    ].join('\n');
    expect(readSockets(text)).toEqual([
      { port: 8000, inode: '41231' },
      { port: 8443, inode: '77' },
    ]);
  });
});

describe('the service of a process', () => {
  it.each([
    ['0::/system.slice/litellm.service', 'litellm.service'],
    ['0::/system.slice/litellm.service/workers', 'litellm.service'],
    [
      '12:pids:/system.slice/litellm.service\n1:name=systemd:/system.slice/litellm.service',
      'litellm.service',
    ],
    ['0::/system.slice/system-litellm.slice/litellm@a.service', 'litellm@a.service'],
    ['0::/machine.slice/nspawn.service/system.slice/litellm.service', 'litellm.service'],
    ['0::/system.slice/docker.service', null],
    ['0::/system.slice/docker-0123.scope', null],
    ['0::/user.slice/user-1000.slice/user@1000.service/app.slice/litellm.service', null],
    ['0::/user.slice/user-1000.slice/session-3.scope', null],
    ['0::/', null],
    ['', null],
  ])('%j is %s', (cgroup, unit) => {
    expect(readUnit(cgroup)).toBe(unit);
  });
});
