import { describe, expect, test } from 'vitest';
import { judgeCdiSpecs } from './judge-cdi-specs.js';
import { maskSecrets } from './mask-secrets.js';
import { readImage, readVolume } from './read-image.js';

const UUID = 'GPU-11111111-2222-3333-4444-555555555555';

describe('CDI specs', () => {
  test.each([
    [[], 'no_spec'],
    [['garbage: ['], 'no_spec'],
    [['cdiVersion: 0.5.0\nkind: amd.com/gpu\n'], 'no_spec'],
    [['cdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices:\n- name: "0"\n'], 'unknown_device'],
    [[`kind: "nvidia.com/gpu"\ndevices:\n- name: ${UUID}\n`], 'known_device'],
    [[`{"cdiVersion":"0.5.0","kind":"nvidia.com/gpu","devices":[{"name":"${UUID}"}]}`], 'known_device'],
    [['kind: nvidia.com/gpu\n', `kind: amd.com/gpu\n- name: ${UUID}\n`], 'unknown_device'],
  ] as const)('%j: %s', (specs, state) => {
    expect(judgeCdiSpecs(specs, UUID)).toBe(state);
  });
});

describe('secrets in a command', () => {
  test.each([
    [
      ['--api-key', 'a'],
      ['--api-key', '***'],
    ],
    [
      ['--api-key=a', '--port', '8000'],
      ['--api-key=***', '--port', '8000'],
    ],
    [
      ['--api-key', 'a', 'b', '--port', '8000'],
      ['--api-key', '***', '***', '--port', '8000'],
    ],
    [
      ['--api_key', 'a'],
      ['--api_key', '***'],
    ],
    [
      ['--hf-token', '-a'],
      ['--hf-token', '***'],
    ],
    [
      ['--ssl-keyfile-password', 'a'],
      ['--ssl-keyfile-password', '***'],
    ],
    [
      ['--tokenizer', 'x/y', '--max-num-batched-tokens', '2048'],
      ['--tokenizer', 'x/y', '--max-num-batched-tokens', '2048'],
    ],
    [
      ['--enable-prompt-tokens-details', 'x'],
      ['--enable-prompt-tokens-details', 'x'],
    ],
    [
      ['serve', 'token'],
      ['serve', 'token'],
    ],
  ])('%j becomes %j', (argv, masked) => {
    expect(maskSecrets(argv)).toEqual(masked);
  });
});

test('an image has its digests', () => {
  expect(readImage({ Id: 'sha256:1', RepoDigests: ['x@sha256:2'], Size: 5 })).toEqual({
    ...{ id: 'sha256:1', digests: ['x@sha256:2'], sizeBytes: 5 },
  });
  expect(readImage({ Id: 'sha256:1', RepoDigests: null })).toEqual({
    id: 'sha256:1',
    digests: [],
    sizeBytes: 0,
  });
  expect(readImage({})).toBeNull();
});

test('a volume has its labels', () => {
  expect(readVolume({ Name: 'a', Labels: { b: 'c' } })).toEqual({ name: 'a', labels: { b: 'c' } });
  expect(readVolume({ Name: 'a', Labels: null })).toEqual({ name: 'a', labels: {} });
  expect(readVolume({ Name: '' })).toBeNull();
});
