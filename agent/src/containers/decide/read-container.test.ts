import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDetails, readSummary } from './read-container.js';

/** As Podman 4.3.1 told it, shortened. */
const podman = {
  Id: '5898124483b4',
  Created: '2026-11-24T22:24:42.260176106Z',
  Path: '/usr/local/bin/node',
  Args: ['/app/server.js', '--api-key', 'secret', '--hf-token=secret', '--max-tokens', '5'],
  State: {
    ...{ Status: 'exited', OOMKilled: true, ExitCode: 137, Error: '' },
    ...{ StartedAt: '2026-11-24T22:24:42.867840653Z', FinishedAt: '2026-11-24T22:25:20.021155302Z' },
  },
  Image: 'sha256:66b5',
  Name: '/t1',
  HostConfig: {
    PortBindings: {
      '8000/tcp': [{ HostIp: '', HostPort: '18123' }],
      '53/udp': [{ HostIp: '', HostPort: '53' }],
    },
    RestartPolicy: { Name: '', MaximumRetryCount: 0 },
    ...{ NetworkMode: 'bridge', Privileged: false, Devices: [], DeviceRequests: null },
  },
  NetworkSettings: { Ports: {} },
  Mounts: [
    {
      Type: 'volume',
      Name: 'hfcache',
      Source: '/x/volumes/hfcache/_data',
      Destination: '/root/.cache/huggingface',
    },
    { Type: 'bind', Source: '/home/me', Destination: '/data' },
  ],
  Config: {
    Env: ['A=b', 'VLLM_API_KEY=secret', 'EMPTY'],
    Image: 'localhost/simvllm:test',
    Labels: { 'io.ai-fabric.deployment': 't1' },
  },
};

const changed = (parts: object): unknown => ({ ...podman, ...parts });

describe('a container’s details', () => {
  test('are those that matter, without a secret', () => {
    const details = readDetails(podman);
    expect(details).toEqual({
      ...{ id: '5898124483b4', name: 't1', labels: { 'io.ai-fabric.deployment': 't1' }, state: 'exited' },
      ...{
        image: 'localhost/simvllm:test',
        imageId: 'sha256:66b5',
        createdAtMs: Date.parse('2026-11-24T22:24:42.260Z'),
      },
      ...{ exitCode: 137, oomKilled: true, stateError: '' },
      startedAtMs: Date.parse('2026-11-24T22:24:42.867Z'),
      finishedAtMs: Date.parse('2026-11-24T22:25:20.021Z'),
      ports: [{ hostAddress: '0.0.0.0', hostPort: 18123, containerPort: 8000 }],
      command: [
        '/usr/local/bin/node',
        '/app/server.js',
        '--api-key',
        '***',
        '--hf-token=***',
        '--max-tokens',
        '5',
      ],
      environmentNames: ['A', 'VLLM_API_KEY', 'EMPTY'],
      mounts: [
        { kind: 'volume', source: 'hfcache', path: '/root/.cache/huggingface' },
        { kind: 'bind', source: '/home/me', path: '/data' },
      ],
      ...{ restartPolicy: 'no', networkMode: 'bridge', privileged: false, gpus: [] },
    });
    expect(JSON.stringify(details)).not.toContain('secret');
  });

  test.each([
    ['created', null],
    ['running', null],
    ['paused', null],
    ['stopped', 137],
    ['exited', 137],
    ['dead', 137],
  ])('%s has the exit code %s', (Status, exitCode) => {
    const StartedAt = Status === 'created' ? '0001-01-01T00:00:00Z' : podman.State.StartedAt;
    expect(readDetails(changed({ State: { ...podman.State, Status, StartedAt } }))?.exitCode).toBe(exitCode);
  });

  test.each([
    [{ DeviceRequests: [{ Driver: '', Count: -1, DeviceIDs: null, Capabilities: [['gpu']] }] }, ['all']],
    [{ DeviceRequests: [{ Driver: '', Count: 0, DeviceIDs: ['GPU-1'] }] }, ['GPU-1']],
    [{ Devices: [{ PathOnHost: '/dev/nvidia0' }, { PathOnHost: '/dev/fuse' }] }, ['/dev/nvidia0']],
  ])('tell the cards that were asked for: %j', (parts, gpus) => {
    expect(readDetails(changed({ HostConfig: { ...podman.HostConfig, ...parts } }))?.gpus).toEqual(gpus);
  });

  test('of a container that runs have its port once', () => {
    const Ports = { '8000/tcp': [{ HostIp: '127.0.0.1', HostPort: '18123' }] };
    expect(readDetails(changed({ NetworkSettings: { Ports } }))?.ports).toEqual([
      { hostAddress: '127.0.0.1', hostPort: 18123, containerPort: 8000 },
    ]);
  });

  test('come of nothing else', () => {
    expect(readDetails(null)).toBeNull();
    fc.assert(
      fc.property(fc.jsonValue(), (answer) => {
        readDetails(answer);
        readSummary(answer);
      }),
    );
  });
});

describe('a container in a list', () => {
  test('has its bare name, and a state of ours', () => {
    const listed = {
      Id: 'ab',
      Names: ['/t1'],
      Image: 'x',
      Labels: null,
      State: 'configured',
      Created: 1_795_559_082,
    };
    expect(readSummary(listed)).toEqual({
      ...{ id: 'ab', name: 't1', image: 'x', labels: {}, state: 'created', createdAtMs: 1_795_559_082_000 },
    });
  });

  test.each([
    ['Running', 'running'],
    ['initialized', 'created'],
    ['stopping', 'running'],
    ['never heard of', 'unknown'],
    [undefined, 'unknown'],
  ])('%s is %s', (State, state) => {
    expect(readSummary({ Id: 'ab', State })?.state).toBe(state);
  });
});
