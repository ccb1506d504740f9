import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readListing, readModelLine } from './decide/read-model-lines.js';
import { readWeightsSeen } from './decide/read-weights-line.js';
import { LIST_SCRIPT, LOOK_SCRIPT, PREFETCH_SCRIPT, REMOVE_SCRIPT } from './model-scripts.js';

const hasPython = spawnSync('python3', ['--version']).status === 0;

/** One interpreter that forks for each script, as fresh as `python3 -c` and without its start, which takes longer. */
const FORK_SERVER = `
import json, os, sys, traceback
for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if child == 0:
        try:
            os.dup2(os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
            os.environ["HF_HOME"] = job["home"]
            sys.argv[1:] = job["args"]
            sys.path[:0] = job["path"]
            exec(job["script"], {"__name__": "__main__"})
        except Exception:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(0)
    os.waitpid(child, 0)
    print(flush=True)
`;

class Python {
  readonly #child: ChildProcess = spawn('python3', ['-c', FORK_SERVER], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  readonly #answers: Interface = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });

  /** Of one script after the other. @param path where it finds modules before anywhere else */
  async run(
    home: string,
    script: string,
    args: readonly string[],
    path: readonly string[],
  ): Promise<string[]> {
    const output = join(home, 'output');
    const answered = once(this.#answers, 'line');
    this.#child.stdin?.write(`${JSON.stringify({ output, home, script, args, path })}\n`);
    await answered;
    return readFileSync(output, 'utf8').trim().split('\n');
  }

  async close(): Promise<void> {
    const gone = once(this.#child, 'close');
    this.#child.stdin?.end();
    await gone;
  }
}

let python: Python;

/** A cache as `huggingface_hub` lays it out; snapshots are links to blobs. */
class Cache {
  readonly home = mkdtempSync(join(tmpdir(), 'ai-fabric-cache-'));
  #blobs = 0;

  path(model: string, ...rest: readonly string[]): string {
    return join(this.home, 'hub', `models--${model.replace('/', '--')}`, ...rest);
  }

  put(path: string, text: string): void {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  add(model: string, files: Readonly<Record<string, string>>, commit = 'abc'): void {
    this.put(this.path(model, 'refs', 'main'), commit);
    for (const [name, text] of Object.entries(files)) {
      const blob = this.path(model, 'blobs', `b${++this.#blobs}`);
      const link = this.path(model, 'snapshots', commit, name);
      this.put(blob, text);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(blob, link);
    }
  }

  run(script: string, args: readonly string[], hub?: string): Promise<string[]> {
    return python.run(this.home, script, args, hub === undefined ? [] : [hub]);
  }

  async look(model: string, revision = '', hub?: string) {
    return readWeightsSeen(await this.run(LOOK_SCRIPT, [model, revision], hub));
  }

  /** A stand-in for the hub's library. @param files what the hub has of any model, with their sizes */
  hub(files: Readonly<Record<string, number>>): string {
    const siblings = Object.entries(files).map(([name, size]) => `S(${JSON.stringify(name)}, ${size})`);
    const module = `
import os
class S:
    def __init__(self, name, size):
        self.rfilename, self.size = name, size
class I:
    siblings = [${siblings.join(', ')}]
class HfApi:
    def model_info(self, model, revision=None, files_metadata=False, timeout=None):
        assert files_metadata and timeout
        return I()
def snapshot_download(model, revision=None, allow_patterns=None):
    folder = os.path.join(os.environ["HF_HOME"], "hub", "models--" + model.replace("/", "--"), "blobs")
    os.makedirs(folder)
    for name in allow_patterns:
        open(os.path.join(folder, name.replace("/", "_")), "w").write("xx")
`;
    const folder = join(this.home, 'python');
    this.put(join(folder, 'huggingface_hub.py'), module);
    return folder;
  }
}

const small = { 'config.json': '{}', 'tokenizer.json': '{}' };
const sharded = {
  ...small,
  'model.safetensors.index.json': JSON.stringify({
    weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' },
  }),
};

describe.skipIf(!hasPython)('the scripts, on a cache as huggingface_hub lays it out', () => {
  let cache: Cache;
  beforeAll(() => {
    python = new Python();
  });
  afterAll(() => python.close());
  beforeEach(() => {
    cache = new Cache();
  });
  afterEach(() => rmSync(cache.home, { recursive: true, force: true }));

  test('list models with their sizes, links not followed, half ones marked', async () => {
    cache.add('Qwen/Qwen3-8B', { ...small, 'model.safetensors': 'x'.repeat(1000) });
    cache.put(cache.path('half/done', 'blobs', 'b.incomplete'), 'x');
    symlinkSync(cache.home, join(cache.home, 'hub', 'models--link--out'));
    expect(readListing(await cache.run(LIST_SCRIPT, []))).toMatchObject([
      { model: 'Qwen/Qwen3-8B', sizeBytes: 1007, revisions: ['abc'], complete: true },
      { model: 'half/done', complete: false },
    ]);
  });

  test('remove one model, and nothing that a link leads to', async () => {
    cache.add('Qwen/Qwen3-8B', { 'model.safetensors': 'x'.repeat(997) });
    cache.put(join(cache.home, 'outside'), 'stays');
    symlinkSync(cache.home, join(cache.home, 'hub', 'models--link--out'));
    const removed = async (model: string) => (await cache.run(REMOVE_SCRIPT, [model])).map(readModelLine);
    expect(await removed('Qwen/Qwen3-8B')).toEqual([{ kind: 'done', bytes: 1000 }]);
    expect(await removed('link/out')).toEqual([{ kind: 'done', bytes: 0 }]);
    expect(readListing(await cache.run(LIST_SCRIPT, []))).toEqual([]);
  });

  test('know a model that is whole, and how much its weights are', async () => {
    cache.add('one/file', { ...small, 'model.safetensors': 'x'.repeat(1000) });
    expect(await cache.look('one/file')).toMatchObject({
      complete: true,
      weightBytes: 1000,
      missingBytes: 0,
    });
    expect((await cache.look('one/file'))?.freeBytes).toBeGreaterThan(0);
    cache.add('two/files', {
      ...sharded,
      'model-00001-of-00002.safetensors': 'x'.repeat(10),
      'model-00002-of-00002.safetensors': 'x'.repeat(20),
    });
    expect(await cache.look('two/files')).toMatchObject({ complete: true, weightBytes: 30 });
    expect(await cache.look('two/files', 'abc')).toMatchObject({ complete: true });
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ['a shard of the index', { ...sharded, 'model-00001-of-00002.safetensors': 'x' }],
    ['a shard of a number', { ...small, 'model-00001-of-00003.safetensors': 'x' }],
    ['all weights', small],
    ['its configuration', { 'tokenizer.json': '{}', 'model.safetensors': 'x' }],
    ['its tokenizer', { 'config.json': '{}', 'model.safetensors': 'x' }],
    [
      'an index that can be read',
      { ...small, 'model.safetensors.index.json': '[', 'model.safetensors': 'x' },
    ],
  ])('know a model that lacks %s', async (_, files) => {
    cache.add('half/done', files);
    expect(await cache.look('half/done')).toMatchObject({ complete: false, missingBytes: null });
  });

  test('know a model that is half downloaded, of another revision, or not there', async () => {
    const files = { ...small, 'model.safetensors': 'x' };
    cache.add('half/done', files);
    expect(await cache.look('half/done', 'v2')).toMatchObject({ complete: false });
    cache.put(cache.path('half/done', 'blobs', 'b9.incomplete'), 'xxxx');
    expect(await cache.look('half/done')).toMatchObject({ complete: false });
    expect(await cache.look('not/there')).toMatchObject({ complete: false, weightBytes: null });
    cache.add('gone/blob', files);
    rmSync(cache.path('gone/blob', 'blobs'), { recursive: true });
    expect(await cache.look('gone/blob')).toMatchObject({ complete: false });
  });

  const atHub = {
    ...{ 'config.json': 2, 'tokenizer.json': 2, 'model.safetensors': 1000, 'pytorch_model.bin': 1000 },
    ...{ 'onnx/model.onnx': 5000, 'original/consolidated.00.pth': 9000 },
  };

  test('ask the hub how much is missing of what the engine loads, and of nothing else', async () => {
    const hub = cache.hub(atHub);
    expect(await cache.look('a/b', '', hub)).toMatchObject({ weightBytes: 1000, missingBytes: 1004 });
    cache.add('a/b', { 'config.json': '{}' });
    cache.put(cache.path('a/b', 'blobs', 'b9.incomplete'), 'x'.repeat(300));
    expect(await cache.look('a/b', '', hub)).toMatchObject({ complete: false, missingBytes: 702 });
  });

  test('fetch what the engine loads, and no other format of the same weights', async () => {
    const hub = cache.hub(atHub);
    const told = await cache.run(PREFETCH_SCRIPT, ['a/b', ''], hub);
    expect(told.map(readModelLine).at(-1)).toEqual({ kind: 'done', bytes: 6 });
    expect(cache.hub({ 'config.json': 2, 'model.bin': 7 })).toBe(hub);
    expect(await cache.look('only/bin', '', hub)).toMatchObject({ weightBytes: 7, missingBytes: 9 });
  });
});
