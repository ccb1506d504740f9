import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { manifestPlace, readChallenge, readManifest } from './read-manifest.js';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

describe('a manifest', () => {
  test('of an image tells what a pull fetches', () => {
    const image = { schemaVersion: 2, config: { size: 10 }, layers: [{ size: 1_000 }, { size: 500 }] };
    expect(readManifest(image, 'amd64')).toEqual({ kind: 'image', bytes: 1_510 });
  });

  test('of many platforms leads to that of this one', () => {
    const manifests = [
      { digest: digest('a'), platform: { os: 'linux', architecture: 'arm64' } },
      { digest: digest('b'), platform: { os: 'linux', architecture: 'amd64' } },
      { digest: digest('c'), platform: { os: 'unknown', architecture: 'unknown' } },
    ];
    expect(readManifest({ manifests }, 'amd64')).toEqual({ kind: 'index', digest: digest('b') });
    expect(readManifest({ manifests }, 's390x')).toBeNull();
  });

  test('that is none is told as unknown, whatever it is', () => {
    for (const answer of [null, [], {}, { layers: [{}] }, { config: { size: -1 }, layers: [] }]) {
      expect(readManifest(answer, 'amd64')).toBeNull();
    }
    fc.assert(fc.property(fc.jsonValue(), (answer) => void readManifest(answer, 'amd64')));
  });
});

describe('where a registry is asked', () => {
  test.each([
    [
      'docker.io/vllm/vllm-openai:v0.11.0',
      'https://registry-1.docker.io/v2/vllm/vllm-openai/manifests/',
      'v0.11.0',
    ],
    ['ghcr.io/me/vllm:1', 'https://ghcr.io/v2/me/vllm/manifests/', '1'],
    ['127.0.0.1:5000/vllm:1', 'http://127.0.0.1:5000/v2/vllm/manifests/', '1'],
    ['localhost:5000/vllm:1', 'http://localhost:5000/v2/vllm/manifests/', '1'],
    [`r.example:5000/a/b@${digest('d')}`, 'https://r.example:5000/v2/a/b/manifests/', digest('d')],
    [`r.example/a/b:t@${digest('d')}`, 'https://r.example/v2/a/b/manifests/', digest('d')],
  ])('%s', (image, base, reference) => {
    expect(manifestPlace(image)).toEqual({ base, reference });
  });

  test('and where it sends who has no token', () => {
    const told =
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:vllm/vllm-openai:pull"';
    expect(readChallenge(told)?.href).toBe(
      'https://auth.docker.io/token?service=registry.docker.io&scope=repository%3Avllm%2Fvllm-openai%3Apull',
    );
    for (const other of ['Basic realm="x"', 'Bearer', 'Bearer realm="no address"', '']) {
      expect(readChallenge(other)).toBeNull();
    }
  });
});
