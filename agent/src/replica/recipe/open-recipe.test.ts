import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AgentPolicy,
  DEFAULT_AGENT_POLICY,
  type GpuInventory,
  type VllmReplica,
} from '@ai-fabric/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Footprints, openRecipe } from './open-recipe.js';

const GIB = 1024 ** 3;
const desired: VllmReplica = {
  ...{ deployment: 'qwen', task: 'chat', engine: 'vllm', servedModel: 'qwen' },
  ...{ model: 'Qwen/Qwen2.5-3B-Instruct-AWQ', revision: null, image: 'vllm/vllm-openai:v0.32.0' },
  ...{ quantization: null, contextTokens: 8_192, maxConcurrent: 8, gpuMemoryRatio: null },
  ...{ extraArguments: [], environment: {}, gpu: { select: 'any' }, readyWithinSeconds: 900 },
  ...{ drainWithinSeconds: 120, reach: 'tunnel', port: null, parkable: false, wish: 'running' },
  ...{ restartCount: 0, adopt: null, fallbacks: [{ contextTokens: 4_096 }] },
};
const card: GpuInventory = {
  ...{ uuid: 'GPU-1', index: 0, name: 'NVIDIA GeForce RTX 2080', pciBusId: null, vramTotalBytes: 8 * GIB },
  ...{ powerLimitWatts: null, driverVersion: null, cudaVersion: null, migEnabled: null },
};
const never = new AbortController().signal;

function recipe(
  usedGib: number,
  variables: Record<string, string> = {},
  loading = false,
  {
    weights = null as ReturnType<Footprints['weights']>,
    policy = {} as Partial<AgentPolicy>,
    linkAddress = '192.168.1.20' as string | null,
  } = {},
) {
  const host = {
    cards: () => [card],
    reading: () => ({ vramUsedBytes: usedGib * GIB, vramTotalBytes: 8 * GIB }),
    isLoading: () => loading,
    replicasBytes: () => 0,
    linkAddress: () => linkAddress,
    ...{ wddm: true, securityLabels: false, variables },
  };
  return openRecipe({ ...DEFAULT_AGENT_POLICY, ...policy }, host, {
    footprint: () => null,
    weights: () => weights,
  });
}
const parts = { hostId: 'h', key: 'engine-key', cards: ['GPU-1'], port: 40_000 };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ai-fabric-recipe-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a recipe', () => {
  it('names what a container is made from, with the fallbacks in force', () => {
    const { specHash } = recipe(0);
    expect(specHash(desired, 0)).toMatch(/^[0-9a-f]{32}$/);
    expect(specHash(desired, 0)).toBe(specHash({ ...desired, wish: 'stopped', restartCount: 2 }, 0));
    expect(specHash(desired, 1)).toBe(specHash({ ...desired, contextTokens: 4_096 }, 0));
  });

  it('opens what is reached directly where the link leaves from, or where the owner says', async () => {
    const direct: VllmReplica = { ...desired, reach: 'direct', port: 8_000 };
    const opened = async (policy = {}, linkAddress: string | null = '192.168.1.20') => {
      const { publish } = await recipe(0, {}, false, { policy, linkAddress }).build(direct, 0, parts);
      return publish[0]?.hostAddress;
    };
    expect(await opened()).toBe('192.168.1.20');
    expect(await opened({ directAddress: '100.64.0.7' })).toBe('100.64.0.7');
    expect((await recipe(0).build(desired, 0, parts)).publish[0]?.hostAddress).toBe('127.0.0.1');
    const moved = recipe(0, {}, false, { linkAddress: '192.168.1.21' });
    expect(moved.specHash(direct, 0)).not.toBe(recipe(0).specHash(direct, 0));
    expect(moved.specHash(desired, 0)).toBe(recipe(0).specHash(desired, 0));
  });

  it('refuses what the owner forbids, by the name of the rule', () => {
    expect(recipe(0).refusal(desired)).toBeNull();
    expect(recipe(0).refusal({ ...desired, image: 'evil/x:1' })).toMatchObject({ rule: 'images' });
  });

  it('finds the card and what of it the engine may take', async () => {
    const { fit, cards } = await recipe(1).fit(desired, 0, never);
    expect({ verdict: fit.verdict, cards }).toEqual({ verdict: 'tight', cards: ['GPU-1'] });
    expect((await recipe(1).fit(desired, 1, never)).fit.verdict).toBe('fits');
    expect((await recipe(7).fit(desired, 0, never)).fit.verdict).toBe('does_not_fit');
    expect((await recipe(1, {}, true).fit(desired, 0, never)).fit.verdict).toBe('unknown');
    const { command } = await recipe(1).build(desired, 1, parts);
    expect(command.join(' ')).toContain('--max-model-len 4096');
    expect(command.join(' ')).toContain('--gpu-memory-utilization 0.84 --dtype half');
  });

  it('knows the owner’s limits behind a dot, where there are any', () => {
    const [plain] = [recipe(0).specHash(desired, 0)];
    const limited = (policy: Partial<AgentPolicy>) => recipe(0, {}, false, { policy }).specHash(desired, 0);
    expect(limited({ memoryLimitGigabytes: 24 })).toMatch(new RegExp(`^${plain}\\.[0-9a-f]{8}$`));
    expect(limited({ memoryLimitGigabytes: 24 })).not.toBe(limited({ memoryLimitGigabytes: 32 }));
    expect(limited({ pickle: true })).not.toBe(plain);
    // What only says what may be declared makes no other container.
    expect(limited({ images: ['me/vllm'], models: ['Qwen/*'], upgrades: 'off' })).toBe(plain);
  });

  it('goes by the files in the cache, where somebody looked', async () => {
    const whole = recipe(1, {}, false, { weights: { complete: true, weightBytes: GIB } });
    const { fit } = await whole.fit(desired, 0, never);
    expect(fit.verdict).toBe('fits');
    expect(fit.neededBytes).toBeLessThan((await recipe(1).fit(desired, 0, never)).fit.neededBytes ?? 0);
    const built = await whole.build(desired, 0, parts);
    expect(built.environment['HF_HUB_OFFLINE']).toBe('1');
    expect(whole.specHash(desired, 0)).toBe(recipe(1).specHash(desired, 0));
    const half = recipe(1, {}, false, { weights: { complete: false, weightBytes: GIB } });
    expect((await half.build(desired, 0, parts)).environment).not.toHaveProperty('HF_HUB_OFFLINE');
  });

  it('makes no container without the card that it is to have', async () => {
    await expect(recipe(0).build(desired, 0, { ...parts, cards: [] })).rejects.toMatchObject({
      trouble: { code: 'vram_insufficient' },
    });
    const { gpus } = await recipe(0).build({ ...desired, gpu: { select: 'none' } }, 0, {
      ...parts,
      cards: [],
    });
    expect(gpus).toBe('none');
  });

  it('reads on this host what is only referred to', async () => {
    const file = join(folder, 'token');
    writeFileSync(file, 'from-file\n');
    const environment = { HF_TOKEN: { env: 'HF_TOKEN' }, OTHER: { file }, LANG: { value: 'C' } };
    const spec = await recipe(0, { HF_TOKEN: 'from-variable' }).build({ ...desired, environment }, 0, parts);
    expect(spec.environment).toEqual({
      ...{ HF_TOKEN: 'from-variable', OTHER: 'from-file', LANG: 'C' },
      VLLM_API_KEY: 'engine-key',
    });
  });

  it.each([
    ['a variable that is not set', { env: 'HF_TOKEN' }],
    ['a file that is not there', { file: '/nonexistent/token' }],
  ])('says what is missing: %s', async (_, reference) => {
    const environment = { HF_TOKEN: reference } as VllmReplica['environment'];
    await expect(recipe(0).build({ ...desired, environment }, 0, parts)).rejects.toMatchObject({
      trouble: { code: 'hf_token_needed', detail: expect.stringContaining('HF_TOKEN cannot be given') },
    });
  });

  it.each(['', 'two\nlines', 'a\u0000b', 'x'.repeat(20_000)])(
    'takes no file that holds no one line: %#',
    async (text) => {
      const file = join(folder, 'bad');
      writeFileSync(file, text);
      await expect(
        recipe(0).build({ ...desired, environment: { HF_TOKEN: { file } } }, 0, parts),
      ).rejects.toThrow('holds no single line');
    },
  );
});
