import fc from 'fast-check';
import { expect, test } from 'vitest';
import { qualifyImage } from './qualify-image.js';

const digest = `sha256:${'a'.repeat(64)}`;

test.each([
  ['vllm/vllm-openai:v0.32.0', 'docker.io/vllm/vllm-openai:v0.32.0'],
  ['vllm/vllm-openai', 'docker.io/vllm/vllm-openai:latest'],
  ['nginx', 'docker.io/library/nginx:latest'],
  ['nginx:1.27', 'docker.io/library/nginx:1.27'],
  ['ghcr.io/me/vllm:1', 'ghcr.io/me/vllm:1'],
  ['localhost/vllm', 'localhost/vllm:latest'],
  ['127.0.0.1:5000/vllm', '127.0.0.1:5000/vllm:latest'],
  ['registry:5000/vllm:2', 'registry:5000/vllm:2'],
  [`vllm/vllm-openai@${digest}`, `docker.io/vllm/vllm-openai@${digest}`],
  [`ghcr.io/me/vllm:1@${digest}`, `ghcr.io/me/vllm:1@${digest}`],
])('%s is %s', (reference, whole) => {
  expect(qualifyImage(reference)).toBe(whole);
});

test('a whole name stays as it is', () => {
  const part = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const reference = fc.tuple(part, part, part).map(([user, name, tag]) => `${user}/${name}:${tag}`);
  fc.assert(
    fc.property(reference, (short) => {
      expect(qualifyImage(qualifyImage(short))).toBe(qualifyImage(short));
    }),
  );
});
