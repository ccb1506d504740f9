import { describe, expect, it } from 'vitest';
import { freePort, judgePorts, nameHolder, readPorts } from './judge-ports.js';

describe('ports of the service', () => {
  it('are those of its variables, else the usual ones', () => {
    expect(readPorts(null)).toEqual({ port: 8000, tlsPort: 8443, hosts: [] });
    const text = 'AI_FABRIC_PORT=8100\nAI_FABRIC_TLS_PORT=many\nAI_FABRIC_HOST="127.0.0.1, [fd7a::1]"\n';
    expect(readPorts(text)).toEqual({ port: 8100, tlsPort: 8443, hosts: ['127.0.0.1', 'fd7a::1'] });
    expect(readPorts(text, { AI_FABRIC_PORT: '8200' }).port).toBe(8200);
  });

  it('that are taken are told with who has them', () => {
    const holder = { port: 8443, processId: 12, program: 'caddy', unit: null };
    const settingsThere = { fabricFile: true, variables: null };
    expect(judgePorts({ holders: [holder], settingsThere }, {})).toMatchObject({
      message: 'port 8443 is taken by caddy (process 12)',
      fix: 'end it, choose another with --tls-port',
    });
    expect(judgePorts({ holders: [holder], settingsThere }, { AI_FABRIC_TLS_PORT: '9443' })).toBeNull();
  });

  it('of a process that cannot be seen has no number', () => {
    expect(nameHolder({ port: 1, processId: 0, program: 'a program', unit: null })).toBe('a program');
  });

  it('that are free are the next ones', () => {
    const holders = [4001, 4003].map((port) => ({ port, processId: 1, program: 'x', unit: null }));
    expect(freePort(4001, holders, [4002])).toBe(4004);
  });
});
