import { describe, expect, it } from 'vitest';
import { findLitellm, type LitellmCandidate } from './find-litellm.js';

const PROXY: LitellmCandidate = {
  ...{ unit: 'litellm.service', processId: 812, workingDirectory: '/opt/litellm', ports: [8000] },
  arguments: ['/usr/bin/python3', '/opt/litellm/bin/litellm', '--config', 'config.yaml', '--port', '8000'],
};

describe('the LiteLLM proxy of a machine', () => {
  it('is found by how it was started, with its configuration and its port', () => {
    const others = [{ ...PROXY, unit: 'nginx.service', processId: 1, arguments: ['nginx', '--config', 'x'] }];
    expect(findLitellm([...others, PROXY], null)).toEqual({
      ok: true,
      found: { unit: 'litellm.service', processId: 812, configFile: '/opt/litellm/config.yaml', port: 8000 },
    });
  });

  it.each<[readonly string[], readonly number[], string | null, number]>([
    [['litellm', '-c', '/etc/litellm.yaml'], [4000], '/etc/litellm.yaml', 4000],
    [['litellm', '--config=/etc/l.yaml', '--port=8000'], [], '/etc/l.yaml', 8000],
    [['python3', '-m', 'litellm', '--model', 'gpt-4o'], [4000, 4001], null, 4000],
    [['python3', '/x/litellm_proxy.py', '--config', 'a.yaml'], [8000], '/opt/litellm/a.yaml', 8000],
    [['litellm', '--config'], [4000], null, 4000],
  ])('started as %j, listening on %j', (args, ports, configFile, port) => {
    const { ok, ...search } = findLitellm([{ ...PROXY, arguments: args, ports }], null);
    expect({ ok, ...search }).toMatchObject({ ok: true, found: { configFile, port } });
  });

  it('is one, though it has workers', () => {
    const worker = { ...PROXY, processId: 813, ports: [] };
    expect(findLitellm([worker, PROXY, worker], null)).toMatchObject({ ok: true, found: { processId: 812 } });
  });

  it('is none where nothing is like it, and has to be named where there are several', () => {
    expect(findLitellm([], null)).toEqual({ ok: true, found: null });
    const second = { ...PROXY, unit: 'litellm-test.service', processId: 900 };
    expect(findLitellm([PROXY, second], null)).toEqual({
      ok: false,
      detail: 'several run here: litellm.service, litellm-test.service',
    });
    expect(findLitellm([PROXY, second], 'litellm-test.service')).toMatchObject({
      ok: true,
      found: { processId: 900 },
    });
  });

  it('may be named whatever it is called', () => {
    const wrapped = { ...PROXY, unit: 'gateway.service', arguments: ['/opt/run.sh'] };
    expect(findLitellm([wrapped], 'gateway.service')).toMatchObject({
      found: { unit: 'gateway.service', configFile: null, port: 8000 },
    });
  });
});
