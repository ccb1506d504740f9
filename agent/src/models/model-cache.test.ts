import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import type { ContainerSpec, LogLine } from '../containers/container-engine.js';
import { HelperContainers } from '../containers/helper-containers.js';
import { readListing, readModelLine } from './decide/read-model-lines.js';
import { ModelCache, type ModelCacheOptions } from './model-cache.js';
import { LIST_SCRIPT } from './model-scripts.js';

/** As much of an engine as the cache uses; what a container prints is what a test says. */
class FakeEngine {
  readonly created: ContainerSpec[] = [];
  readonly removed: string[] = [];
  images = new Set(['vllm/vllm-openai:v1']);
  output: readonly string[] = [];

  findImage = async (reference: string) =>
    this.images.has(reference) ? { id: 'i', digests: [], sizeBytes: 1 } : null;
  ensureVolume = async () => undefined;
  list = async () => [];
  create = async (spec: ContainerSpec) => {
    this.created.push(spec);
    return { id: `c${this.created.length}` };
  };
  start = async () => undefined;
  remove = async (id: string) => {
    this.removed.push(id);
  };
  async *logs(): AsyncIterable<LogLine> {
    for (const text of this.output) yield { atMs: null, stream: 'stdout', text };
  }
}

function stage(more: Partial<ModelCacheOptions> = {}) {
  const engine = new FakeEngine();
  const changed: string[] = [];
  const cache = new ModelCache({
    engine,
    images: () => ['vllm/vllm-openai:v0', 'vllm/vllm-openai:v1'],
    environment: async () => ({ HF_TOKEN: 'hf_secret' }),
    inUse: () => new Set(['Qwen/used']),
    onChange: (model) => changed.push(model),
    helpers: new HelperContainers({ engine, hostId: 'h', log: pino({ level: 'silent' }) }),
    ...more,
  });
  return { engine, cache, changed };
}

const { signal } = new AbortController();
const line = { model: 'Qwen/Qwen3-8B', sizeBytes: 5, revisions: ['abc'], complete: true, changedAtMs: 1 };

async function all<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const list: Value[] = [];
  for await (const value of values) list.push(value);
  return list;
}

describe('the model cache of a host', () => {
  test('is looked into by a container with the cache alone: no card, no port, nothing of the host', async () => {
    const { engine, cache } = stage();
    engine.output = ['a library says hello', JSON.stringify(line), '{"done":true}'];
    expect(await cache.list(signal)).toEqual([line]);
    expect(engine.created).toMatchObject([
      {
        ...{ image: 'vllm/vllm-openai:v1', entrypoint: ['python3', '-c', LIST_SCRIPT], command: [] },
        ...{
          gpus: 'none',
          publish: [],
          labels: { 'io.ai-fabric.helper': 'models', 'io.ai-fabric.host': 'h' },
        },
        volumes: [{ volume: 'ai-fabric-huggingface', path: '/root/.cache/huggingface' }],
      },
    ]);
    expect(engine.created[0]?.environment).not.toHaveProperty('HF_TOKEN');
    expect(engine.removed).toEqual(['c1']);
  });

  test('is filled with progress told; what is asked for comes as arguments, the token in the environment', async () => {
    const { engine, cache } = stage();
    engine.output = ['{"doneBytes":1,"totalBytes":5}', '{"done":true,"sizeBytes":5}'];
    expect(await all(cache.prefetch('Qwen/Qwen3-8B', 'main', signal))).toEqual([
      { kind: 'progress', doneBytes: 1, totalBytes: 5 },
      { kind: 'done', bytes: 5 },
    ]);
    expect(engine.created[0]).toMatchObject({
      command: ['Qwen/Qwen3-8B', 'main'],
      environment: { HF_TOKEN: 'hf_secret' },
    });
  });

  test('tells of a download whose container ended without a word, and removes it when its caller leaves', async () => {
    const { engine, cache } = stage();
    engine.output = ['{"doneBytes":1,"totalBytes":null}'];
    const [, last] = await all(cache.prefetch('a/b', null, signal));
    expect(last).toMatchObject({ kind: 'failed' });
    for await (const _ of cache.prefetch('a/b', null, signal)) break;
    expect(engine.removed).toEqual(['c1', 'c2']);
  });

  test('gives up nothing that a deployment loads', async () => {
    const { engine, cache, changed } = stage();
    await expect(cache.remove('Qwen/used', signal)).rejects.toMatchObject({ code: 'in_use' });
    expect(engine.created).toEqual([]);
    engine.output = ['{"done":true,"freedBytes":7}'];
    expect(await cache.remove('Qwen/other', signal)).toBe(7);
    // What was known of its files holds no longer.
    expect(changed).toEqual(['Qwen/other']);
  });

  test('is looked into once at a time, and needs an image that is here', async () => {
    const { engine, cache } = stage();
    engine.output = ['{"doneBytes":1,"totalBytes":null}'];
    for await (const _ of cache.prefetch('a/b', null, signal)) {
      await expect(cache.list(signal)).rejects.toMatchObject({ code: 'busy' });
      break;
    }
    engine.images.clear();
    await expect(cache.list(signal)).rejects.toMatchObject({ code: 'no_image' });
  });
});

describe('what a script prints', () => {
  test.each([
    ['GatedRepoError', 'x', 'hf_token_needed'],
    ['HfHubHTTPError', '401 Client Error', 'hf_token_needed'],
    ['RepositoryNotFoundError', 'x', 'model_not_found'],
    ['OSError', '[Errno 28] No space left on device', 'disk_full'],
    ['ConnectionError', 'Name resolution failed', 'hub_unreachable'],
    ['ValueError', 'x', 'prefetch_failed'],
  ])('%s is %s', (failed, detail, code) => {
    expect(readModelLine(JSON.stringify({ failed, detail }))).toEqual({ kind: 'failed', code, detail });
  });

  test('that names what could not be asked for, or is garbage, is passed over', () => {
    const hostile = ['../../etc/passwd', '--help/x', 'a', 'a/b/c', 'a/..'].map((model) =>
      JSON.stringify({ ...line, model }),
    );
    const garbage = ['', 'null', '[]', '{"model":1}', JSON.stringify({ ...line, sizeBytes: -1 })];
    expect(readListing([...hostile, JSON.stringify(line), ...garbage])).toEqual([line]);
    for (const text of garbage) expect(readModelLine(text)).toBeNull();
  });
});
