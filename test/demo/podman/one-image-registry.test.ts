import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../harness/temporary-directory.js';
import { OneImageRegistry } from './one-image-registry.js';

interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const LAYER = 'as if it were a tar archive';

describe('a registry of one image', () => {
  let home: TemporaryDirectory;
  let registry: OneImageRegistry;

  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`http://${registry.address}/v2/${path}`, init);

  beforeAll(async () => {
    home = temporaryDirectory();
    const archive = join(home.path, 'layer.tar');
    writeFileSync(archive, LAYER);
    registry = await OneImageRegistry.start({
      ...{ repository: 'vllm/vllm-openai', tag: 'one', archive },
      ...{ entrypoint: ['/node', '/vllm.mjs'], environment: ['A=b'] },
    });
  });
  afterAll(async () => {
    await registry.close();
    home.remove();
  });

  test('gives its manifest by tag and by digest, and the blobs that it names, each as its digest says', async () => {
    expect(registry.reference).toBe(`${registry.address}/vllm/vllm-openai:one`);
    expect((await ask('')).status).toBe(200);
    const byTag = await ask('vllm/vllm-openai/manifests/one');
    const text = await byTag.text();
    const digest = byTag.headers.get('docker-content-digest');
    expect(digest).toBe(sha256(text));
    expect(await (await ask(`vllm/vllm-openai/manifests/${digest}`)).text()).toBe(text);
    const { config, layers } = JSON.parse(text) as { config: Blob; layers: Blob[] };
    const blobs = await Promise.all(
      [config, ...layers].map(async (blob) => {
        const answer = await ask(`vllm/vllm-openai/blobs/${blob.digest}`);
        const body = await answer.text();
        expect([sha256(body), body.length]).toEqual([blob.digest, blob.size]);
        expect(answer.headers.get('content-type')).toBe(blob.mediaType);
        return body;
      }),
    );
    expect(JSON.parse(blobs[0] ?? '')).toMatchObject({
      os: 'linux',
      config: { Entrypoint: ['/node', '/vllm.mjs'], Env: ['A=b'] },
      rootfs: { diff_ids: [sha256(LAYER)] },
    });
    expect(blobs[1]).toBe(LAYER);
  });

  test('says how large a blob is without sending it', async () => {
    const answer = await ask(`vllm/vllm-openai/blobs/${sha256(LAYER)}`, { method: 'HEAD' });
    expect(answer.headers.get('content-length')).toBe(String(LAYER.length));
    expect(await answer.text()).toBe('');
  });

  test('has nothing else, and takes nothing', async () => {
    expect((await ask('vllm/vllm-openai/manifests/two')).status).toBe(404);
    expect((await ask('../../etc/passwd')).status).toBe(404);
    expect((await ask('vllm/vllm-openai/blobs/uploads/', { method: 'POST' })).status).toBe(405);
  });
});

function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
