import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EngineDoing, mapEngineError, readComplaint } from './map-engine-error.js';

const cases: readonly (readonly [EngineDoing, number, string, string])[] = [
  // Docker, then Podman, as they were seen or as their sources have it.
  ['create', 404, 'No such image: vllm/vllm-openai:nope', 'image_not_found'],
  ['create', 500, '127.0.0.1:5555/no/such:tag: image not known', 'image_not_found'],
  ['image', 404, 'failed to find image nope: docker.io/library/nope: No such image', 'image_not_found'],
  [
    'create',
    409,
    'Conflict. The container name "/chat" is already in use by container "5898".',
    'name_taken',
  ],
  [
    'create',
    500,
    'creating container storage: the container name "t1" is already in use by 5898. You have to remove that container to be able to reuse that name: that name is already in use',
    'name_taken',
  ],
  [
    'start',
    500,
    'driver failed programming external connectivity on endpoint chat (ab12): Bind for 127.0.0.1:8000 failed: port is already allocated',
    'port_in_use',
  ],
  [
    'start',
    500,
    'failed to set up container networking: driver failed programming external connectivity on endpoint chat: failed to bind host port for 127.0.0.1:8000:172.17.0.2:8000/tcp: address already in use',
    'port_in_use',
  ],
  [
    'start',
    500,
    'cannot listen on the TCP port: listen tcp4 127.0.0.1:18123: bind: address already in use',
    'port_in_use',
  ],
  [
    'start',
    500,
    'Ports are not available: exposing port TCP 127.0.0.1:8000 -> 0.0.0.0:0: listen tcp 127.0.0.1:8000: bind: Only one usage of each socket address (protocol/network address/port) is normally permitted.',
    'port_in_use',
  ],
  [
    'start',
    500,
    'Ports are not available: exposing port TCP 0.0.0.0:8000: An attempt was made to access a socket in a way forbidden by its access permissions.',
    'port_in_use',
  ],
  ['start', 500, 'could not select device driver "" with capabilities: [[gpu]]', 'gpu_unavailable'],
  [
    'start',
    500,
    'failed to create task for container: OCI runtime create failed: nvidia-container-cli: device error: GPU-1: unknown device: unknown',
    'gpu_unavailable',
  ],
  [
    'start',
    500,
    'nvidia-container-cli: initialization error: nvml error: driver not loaded: unknown',
    'gpu_unavailable',
  ],
  [
    'start',
    500,
    'nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1: cannot open shared object file: no such file or directory',
    'gpu_unavailable',
  ],
  [
    'start',
    500,
    'nvidia-container-cli: initialization error: nvml error: driver/library version mismatch: unknown',
    'driver_mismatch',
  ],
  [
    'start',
    500,
    'nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, please update your driver to a newer version, or use an earlier cuda container: unknown',
    'driver_too_old',
  ],
  [
    'start',
    500,
    'setting up CDI devices: unresolvable CDI devices nvidia.com/gpu=GPU-none',
    'cdi_spec_missing',
  ],
  [
    'start',
    500,
    'CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=GPU-none',
    'cdi_spec_missing',
  ],
  [
    'start',
    500,
    'setting up CDI devices: failed to inject devices: failed to stat CDI host device "/dev/nvidia9": no such file or directory',
    'cdi_spec_stale',
  ],
  [
    'start',
    500,
    'runc: runc create failed: unable to start container process: error during container init: error mounting "/usr/lib/x86_64-linux-gnu/libcuda.so.550.54" to rootfs at "/usr/lib/x86_64-linux-gnu/libcuda.so.550.54": stat /usr/lib/x86_64-linux-gnu/libcuda.so.550.54: no such file or directory: OCI runtime attempted to invoke a command that was not found',
    'cdi_spec_stale',
  ],
  ['start', 404, 'No such container: abc', 'not_found'],
  ['other', 404, 'no container with name or ID "nope" found: no such container', 'not_found'],
  ['other', 500, 'can only create exec sessions on running containers: container state improper', 'conflict'],
  ['other', 409, 'Container abc is not running', 'conflict'],
  ['volume', 409, 'remove ai-fabric-huggingface: volume is in use - [ab12]', 'conflict'],
  [
    'volume',
    409,
    'volume hfcache is being used by the following container(s): 5898: volume is being used',
    'conflict',
  ],
  ['create', 400, 'invalid reference format', 'bad_request'],
  ['create', 500, 'crun: cgroups in hybrid mode not supported', 'engine_failed'],
  ['create', 500, 'write /var/lib/docker/overlay2/x: no space left on device', 'disk_full'],
  [
    'pull',
    200,
    'manifest for vllm/vllm-openai:nope not found: manifest unknown: manifest unknown',
    'image_not_found',
  ],
  [
    'pull',
    200,
    'initializing source docker://127.0.0.1:5555/vllm/sim:nope: reading manifest nope in 127.0.0.1:5555/vllm/sim: manifest unknown: manifest unknown',
    'image_not_found',
  ],
  ['pull', 404, 'no matching manifest for linux/arm64/v8 in the manifest list entries', 'image_not_found'],
  [
    'pull',
    404,
    "pull access denied for nope/nope, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    'image_not_found',
  ],
  ['pull', 200, 'unauthorized: authentication required', 'unauthorized'],
  ['pull', 500, 'Head "https://ghcr.io/v2/me/private/manifests/1": denied: denied', 'unauthorized'],
  [
    'pull',
    200,
    'initializing source docker://ghcr.io/x/y:1: Requesting bearer token: invalid status code from registry 403 (403 Forbidden)',
    'unauthorized',
  ],
  ['pull', 200, 'toomanyrequests: You have reached your unauthenticated pull rate limit.', 'pull_failed'],
  [
    'pull',
    200,
    'pinging container registry 127.0.0.1:5556: Get "https://127.0.0.1:5556/v2/": dial tcp 127.0.0.1:5556: connect: connection refused',
    'registry_unreachable',
  ],
  [
    'pull',
    500,
    'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 1.1.1.1:53: no such host',
    'registry_unreachable',
  ],
  [
    'pull',
    500,
    'Get "https://registry-1.docker.io/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
    'registry_unreachable',
  ],
  [
    'pull',
    500,
    'Get "https://registry.home/v2/": x509: certificate signed by unknown authority',
    'registry_unreachable',
  ],
  [
    'pull',
    500,
    'Get "https://registry.home/v2/": http: server gave HTTP response to HTTPS client',
    'registry_unreachable',
  ],
  [
    'pull',
    200,
    'writing blob: storing blob to file "/var/tmp/storage1/1": happened during read: unexpected EOF',
    'pull_failed',
  ],
  [
    'pull',
    200,
    'writing blob: adding layer with blob "sha256:4e": Error processing tar file(exit status 1): write /usr/lib/x: no space left on device',
    'disk_full',
  ],
  ['pull', 200, 'failed to register layer: write /usr/lib/libtorch.so: no space left on device', 'disk_full'],
  [
    'pull',
    500,
    'normalizing image: normalizing name for compat API: repository name must be lowercase',
    'pull_failed',
  ],
  ['pull', 400, 'invalid reference format', 'bad_request'],
];

describe('what an engine complains of', () => {
  test.each(cases)('%s, %i: %s', (doing, status, message, code) => {
    expect(mapEngineError({ doing, status, message })).toEqual({ code, detail: message });
  });

  test('a denial after credentials were sent is about those', () => {
    const message =
      "pull access denied for me/private, repository does not exist or may require 'docker login'";
    expect(mapEngineError({ doing: 'pull', status: 404, message, authenticated: true }).code).toBe(
      'unauthorized',
    );
  });

  test('becomes one short line without credentials', () => {
    const message = `Get "https://me:secret@registry/v2/x?token=abc&X-Amz-Signature=def&n=1":\n  ${'x'.repeat(2_000)}`;
    const { detail } = mapEngineError({ doing: 'pull', status: 500, message });
    expect(detail).toMatch(/^Get "https:\/\/registry\/v2\/x\?token=…&X-Amz-Signature=…&n=1": x+…$/);
    expect(detail.length).toBeLessThanOrEqual(600);
  });

  test('without words is told by its status', () => {
    expect(mapEngineError({ doing: 'other', status: 503, message: ' ' })).toEqual({
      code: 'engine_failed',
      detail: 'The container engine answers with status 503.',
    });
  });

  test('always means something', () => {
    const doing = fc.constantFrom<EngineDoing>('pull', 'create', 'start', 'image', 'volume', 'other');
    fc.assert(
      fc.property(doing, fc.integer({ min: 200, max: 599 }), fc.string(), (what, status, message) => {
        const { code, detail } = mapEngineError({ doing: what, status, message });
        expect(code).toMatch(/^[a-z_]+$/);
        expect(detail).not.toBe('');
      }),
    );
  });
});

test.each([
  ['{"message":"No such container: x"}', 'No such container: x'],
  ['{"cause":"x","message":"y","response":500}', 'y'],
  ['plain text', 'plain text'],
  ['{"message":5}', '{"message":5}'],
  ['null', 'null'],
])('the complaint in %s', (body, complaint) => {
  expect(readComplaint(body)).toBe(complaint);
});
