import type { VllmReplica } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import type { ContainerSpec, LogLine } from '../containers/container-engine.js';
import { HelperContainers } from '../containers/helper-containers.js';
import { weightsLook } from './weights-look.js';

const desired = {
  ...{ model: 'Qwen/Qwen3-8B', revision: null, image: 'vllm/vllm-openai:v1' },
  gpu: { select: 'any' },
} as VllmReplica;
const seen = { complete: true, weightBytes: 5, missingBytes: 0, freeBytes: 9 };
const never = new AbortController().signal;

function stage() {
  const created: ContainerSpec[] = [];
  const removed: string[] = [];
  const told = { lines: ['a library says hello', JSON.stringify(seen)], hangs: false, running: 0, most: 0 };
  const engine = {
    list: async () => [],
    ensureVolume: async () => undefined,
    create: async (spec: ContainerSpec) => {
      created.push(spec);
      told.running += 1;
      told.most = Math.max(told.most, told.running);
      return { id: `c${created.length}` };
    },
    start: async () => undefined,
    remove: async (id: string) => {
      told.running -= 1;
      removed.push(id);
    },
    async *logs(_id: string, _options: object, signal: AbortSignal): AsyncIterable<LogLine> {
      for (const text of told.lines) yield { atMs: null, stream: 'stdout', text };
      if (!told.hangs) return;
      await new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      });
    },
  };
  const recipe = { build: async () => ({ environment: { HF_TOKEN: 'hf_x', VLLM_API_KEY: 'k' } }) };
  const clock = new ManualClock();
  const log = pino({ level: 'silent' });
  const helpers = new HelperContainers({ engine, hostId: 'h', log });
  const look = weightsLook({ helpers, recipe, clock, log, hostId: 'h' } as never);
  return { look, created, removed, told, clock, recipe };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a look at the weights of a model', () => {
  test('is taken from within the image that is to load it, with the token and no key', async () => {
    const { look, created, removed } = stage();
    expect(await look(desired, never)).toEqual(seen);
    expect(created).toMatchObject([
      {
        ...{ image: 'vllm/vllm-openai:v1', command: ['Qwen/Qwen3-8B', ''], gpus: 'none', publish: [] },
        labels: { 'io.ai-fabric.helper': 'look', 'io.ai-fabric.host': 'h' },
      },
    ]);
    expect(created[0]?.environment).toMatchObject({ HF_TOKEN: 'hf_x' });
    expect(created[0]?.environment).not.toHaveProperty('VLLM_API_KEY');
    expect(removed).toEqual(['c1']);
  });

  test('is one at a time', async () => {
    const { look, told } = stage();
    await Promise.all([look(desired, never), look(desired, never), look(desired, never)]);
    expect(told.most).toBe(1);
  });

  test('ends with its deadline, and when nobody waits, and leaves no container', async () => {
    const { look, told, clock, removed } = stage();
    told.hangs = true;
    const slow = look(desired, never);
    for (let turn = 0; turn < 10; turn += 1) await settle();
    clock.advance(45_000);
    expect(await slow).toBeNull();
    const stop = new AbortController();
    const left = look(desired, stop.signal);
    for (let turn = 0; turn < 10; turn += 1) await settle();
    stop.abort();
    expect(await left).toBeNull();
    expect(removed).toEqual(['c1', 'c2']);
  });

  test('that tells nothing is as good as not knowing', async () => {
    const { look, told, recipe } = stage();
    told.lines = ['Traceback (most recent call last)', '{"complete":"yes"}'];
    expect(await look(desired, never)).toBeNull();
    recipe.build = () => Promise.reject(new Error('the token cannot be read'));
    expect(await look(desired, never)).toBeNull();
  });
});
