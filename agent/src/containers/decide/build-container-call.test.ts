import { describe, expect, test } from 'vitest';
import type { ContainerEngineInfo, ContainerSpec } from '../container-engine.js';
import { buildCreateCall, buildRemoveCall } from './build-container-call.js';

const UUID = 'GPU-11111111-2222-3333-4444-555555555555';
const engine = (changed: Partial<ContainerEngineInfo>): ContainerEngineInfo => ({
  ...{ flavour: 'docker', version: '28.1.1', apiVersion: '1.49', rootless: false, desktop: false },
  storagePath: '/var/lib/docker',
  endpoint: '/run/docker.sock',
  ...changed,
});
const spec = (changed: Partial<ContainerSpec> = {}): ContainerSpec => ({
  name: 'ai-fabric-chat',
  image: 'vllm/vllm-openai:v0.32.0',
  command: ['--model', 'Qwen/Qwen2.5-7B'],
  environment: { VLLM_API_KEY: 'a=b' },
  labels: { 'io.ai-fabric.deployment': 'chat' },
  gpus: { uuids: [UUID] },
  publish: [{ hostAddress: '127.0.0.1', hostPort: 8001, containerPort: 8000 }],
  volumes: [{ volume: 'ai-fabric-huggingface', path: '/root/.cache/huggingface' }],
  shmBytes: 1_000,
  memoryLimitBytes: null,
  securityLabelDisable: false,
  ...changed,
});

/** The part of the body that asks for a card. */
function gpuOf(info: Partial<ContainerEngineInfo>, changed: Partial<ContainerSpec> = {}): unknown {
  const { body } = buildCreateCall(spec(changed), engine(info));
  const hostConfig = body['HostConfig'] as Record<string, unknown> | undefined;
  return hostConfig === undefined ? body['devices'] : hostConfig['DeviceRequests'];
}

describe('the card', () => {
  test.each([
    ['Docker', {}, [{ Driver: '', Capabilities: [['gpu']], DeviceIDs: [UUID] }]],
    ['Docker Desktop', { desktop: true }, [{ Driver: '', Capabilities: [['gpu']], Count: -1 }]],
    [
      'Podman 5.4',
      { flavour: 'podman', version: '5.4.0' },
      [{ Driver: 'cdi', DeviceIDs: [`nvidia.com/gpu=${UUID}`] }],
    ],
    [
      'Podman 6',
      { flavour: 'podman', version: '6.0.1' },
      [{ Driver: 'cdi', DeviceIDs: [`nvidia.com/gpu=${UUID}`] }],
    ],
    ['Podman 5.3', { flavour: 'podman', version: '5.3.2' }, [{ path: `nvidia.com/gpu=${UUID}` }]],
    ['Podman 4.9', { flavour: 'podman', version: '4.9.3' }, [{ path: `nvidia.com/gpu=${UUID}` }]],
    ['Podman 4.3', { flavour: 'podman', version: '4.3.1' }, [{ path: `nvidia.com/gpu=${UUID}` }]],
  ] as const)('is asked for as %s wants it', (_name, info, expected) => {
    expect(gpuOf(info)).toEqual(expected);
  });

  test.each([
    [{}],
    [{ flavour: 'podman', version: '5.4.0' }],
    [{ flavour: 'podman', version: '4.3.1' }],
  ] as const)('is not asked for where none is wanted: %j', (info) => {
    expect(gpuOf(info, { gpus: 'none' })).toBeUndefined();
    expect(gpuOf(info, { gpus: { uuids: [] } })).toBeUndefined();
  });
});

describe('the create call', () => {
  test('of Docker', () => {
    const limits = { memoryLimitBytes: 5_000, securityLabelDisable: true, gpus: 'none' } as const;
    expect(buildCreateCall(spec(limits), engine({}))).toEqual({
      path: '/containers/create?name=ai-fabric-chat',
      whole: false,
      body: {
        Image: 'docker.io/vllm/vllm-openai:v0.32.0',
        Cmd: ['--model', 'Qwen/Qwen2.5-7B'],
        Env: ['VLLM_API_KEY=a=b'],
        Labels: { 'io.ai-fabric.deployment': 'chat' },
        ExposedPorts: { '8000/tcp': {} },
        HostConfig: {
          PortBindings: { '8000/tcp': [{ HostIp: '127.0.0.1', HostPort: '8001' }] },
          Mounts: [{ Type: 'volume', Source: 'ai-fabric-huggingface', Target: '/root/.cache/huggingface' }],
          RestartPolicy: { Name: 'no' },
          ShmSize: 1_000,
          Memory: 5_000,
          SecurityOpt: ['label=disable'],
        },
      },
    });
  });

  test('of libpod', () => {
    const limits = { memoryLimitBytes: 5_000, securityLabelDisable: true, gpus: 'none' } as const;
    expect(buildCreateCall(spec(limits), engine({ flavour: 'podman', version: '4.3.1' }))).toEqual({
      path: '/v4.0.0/libpod/containers/create',
      whole: true,
      body: {
        name: 'ai-fabric-chat',
        image: 'docker.io/vllm/vllm-openai:v0.32.0',
        command: ['--model', 'Qwen/Qwen2.5-7B'],
        env: { VLLM_API_KEY: 'a=b' },
        labels: { 'io.ai-fabric.deployment': 'chat' },
        portmappings: [{ host_ip: '127.0.0.1', host_port: 8001, container_port: 8000, protocol: 'tcp' }],
        volumes: [{ Name: 'ai-fabric-huggingface', Dest: '/root/.cache/huggingface' }],
        restart_policy: 'no',
        shm_size: 1_000,
        resource_limits: { memory: { limit: 5_000 } },
        selinux_opts: ['disable'],
      },
    });
  });

  test.each([
    [{}],
    [{ flavour: 'podman', version: '5.4.0' }],
    [{ flavour: 'podman', version: '4.3.1' }],
  ] as const)('opens nothing of the host beyond what was asked for: %j', (info) => {
    const text = JSON.stringify(buildCreateCall(spec(), engine(info)).body);
    expect(text).not.toMatch(/privileged|CapAdd|cap_add|PidMode|pidns|NetworkMode|netns|"Binds"|"bind"/i);
    expect(text).not.toContain('always');
  });

  test('lets no name out of its place', () => {
    const { path } = buildCreateCall(spec({ name: 'x&platform=../..' }), engine({}));
    expect(path).toBe('/containers/create?name=x%26platform%3D..%2F..');
  });
});

test.each([
  [{}, '/containers/abc?force=true&v=true', false],
  [
    { flavour: 'podman', version: '5.4.0' },
    '/v4.0.0/libpod/containers/abc?force=true&volumes=true&timeout=0',
    true,
  ],
] as const)('a container is removed without delay: %j', (info, path, whole) => {
  expect(buildRemoveCall('abc', engine(info))).toEqual({ path, whole });
});
