import { engineStorage, openRecipe, weightsLook } from '@ai-fabric/agent';
import { DEFAULT_AGENT_POLICY, systemClock, type VllmReplica } from '@ai-fabric/shared';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { declare, KeptHost } from '../harness/kept-containers.js';
import { describeReal } from '../harness/real-part.js';
import { eventually } from '../simulators/common/eventually.js';
import { engineSocket, gpuImage, gpuModel, gpuWithVllm } from './gpu/gpu-part.js';
import { nvidiaCards } from './gpu/nvidia-cards.js';

const DEPLOYMENT = 'gpu-check';
const MINUTE_MS = 60_000;
/** An image of ten gigabytes and a model of one, from far away. */
const FIRST_MS = 60 * MINUTE_MS;
const AGAIN_MS = 10 * MINUTE_MS;
const GIB = 1024 ** 3;
const forever = new AbortController().signal;

describeReal('a real vLLM on a real card', [gpuWithVllm], () => {
  const card = () => {
    const [first] = nvidiaCards();
    if (first === undefined) throw new Error('the card is gone');
    return first;
  };
  const wished = (more: Partial<VllmReplica> = {}): VllmReplica =>
    declare({
      ...{ deployment: DEPLOYMENT, servedModel: DEPLOYMENT, image: gpuImage, model: gpuModel },
      ...{ contextTokens: 2_048, maxConcurrent: 4, gpuMemoryRatio: 0.5, parkable: true },
      // Starts sooner, and is as real.
      ...{ extraArguments: ['--enforce-eager'], readyWithinSeconds: FIRST_MS / 1_000 },
      gpu: { select: 'uuid', uuid: card().inventory.uuid },
      ...more,
    });
  let host: KeptHost;
  let usedBefore: number;

  beforeAll(async () => {
    usedBefore = card().vramUsedBytes;
    host = new KeptHost({
      ...{ socketPath: engineSocket() ?? '', cards: [card().inventory.uuid] },
      openRecipe: (memory) =>
        openRecipe(
          DEFAULT_AGENT_POLICY,
          {
            cards: () => nvidiaCards().map(({ inventory }) => inventory),
            reading: (uuid) => {
              const found = nvidiaCards().find(({ inventory }) => inventory.uuid === uuid);
              return found === undefined
                ? null
                : { vramUsedBytes: found.vramUsedBytes, vramTotalBytes: found.inventory.vramTotalBytes };
            },
            linkAddress: () => null,
            isLoading: () => false,
            replicasBytes: () => 0,
            ...{ wddm: process.platform === 'win32', securityLabels: false, variables: process.env },
          },
          memory,
        ),
      openStorage: (parts) =>
        engineStorage({
          ...{ census: parts.census, platform: process.platform, systemDriveFreeBytes: () => null },
          weights: weightsLook({ ...parts, clock: systemClock(), log: pino({ level: 'silent' }) }),
        }),
    });
    await host.start();
  });

  afterAll(async () => {
    if (host === undefined) return;
    host.declare();
    await eventually('its container is gone', () => host.status(DEPLOYMENT) === undefined, 2 * MINUTE_MS);
    await host.close();
  }, 3 * MINUTE_MS);

  const containerId = (): string => host.status(DEPLOYMENT)?.container?.id ?? '';
  const ask = async (key: string | null): Promise<{ status: number; text: string }> => {
    const address = host.keepers.engineAddress(DEPLOYMENT);
    if (address === null) return { status: 0, text: '' };
    const answer = await fetch(`http://${address.host}:${address.port}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify({
        ...{ model: DEPLOYMENT, max_tokens: 16, temperature: 0 },
        messages: [{ role: 'user', content: 'Which number comes after two? Answer with the number.' }],
      }),
    });
    return { status: answer.status, text: await answer.text() };
  };
  const answers = async (): Promise<void> => {
    const { status, text } = await ask(host.keepers.engineAddress(DEPLOYMENT)?.key ?? null);
    expect({ status, text }).toMatchObject({ status: 200, text: expect.stringMatching(/3|three/i) });
  };

  it(
    'is fetched where it is not here, made, proven, and answers with its key alone',
    async () => {
      host.declare(wished());
      await host.reaches('ready', DEPLOYMENT, FIRST_MS);
      await answers();
      expect((await ask(null)).status).toBe(401);
      expect(host.keepers.issues()).toEqual([]);
    },
    FIRST_MS + MINUTE_MS,
  );

  it('has the card that it was declared with, and no other', async () => {
    const { exitCode, output } = await host.engine.exec(containerId(), ['nvidia-smi', '-L'], forever);
    expect(exitCode).toBe(0);
    expect(output.match(/GPU-[0-9a-f-]+/gi)).toEqual([card().inventory.uuid]);
  });

  it(
    'gives the card’s memory back when it is parked, and makes sense when it is back',
    async () => {
      const ready = card().vramUsedBytes;
      const took = ready - usedBefore;
      expect(took).toBeGreaterThan(GIB);
      host.declare(wished({ wish: 'parked' }));
      await host.reaches('parked', DEPLOYMENT, 3 * MINUTE_MS);
      await eventually('its memory is free', () => ready - card().vramUsedBytes > 0.7 * took, MINUTE_MS);
      const parkedId = containerId();
      host.declare(wished());
      await host.reaches('ready', DEPLOYMENT, 3 * MINUTE_MS);
      expect(containerId()).toBe(parkedId);
      await answers();
    },
    8 * MINUTE_MS,
  );

  it(
    'loads without the hub when its weights are in the cache',
    async () => {
      await eventually('its next start will', () => host.status(DEPLOYMENT)?.phase === 'ready', MINUTE_MS);
      const before = containerId();
      host.declare(wished({ contextTokens: 1_024 }));
      await eventually('it is made anew', () => containerId() !== before && containerId() !== '', AGAIN_MS);
      await host.reaches('ready', DEPLOYMENT, AGAIN_MS);
      const details = await host.engine.inspect(containerId(), forever);
      expect(details?.environmentNames).toContain('HF_HUB_OFFLINE');
      await answers();
    },
    2 * AGAIN_MS,
  );

  it(
    'leaves nothing on the card when it is gone',
    async () => {
      host.declare();
      await eventually('it is gone', () => host.status(DEPLOYMENT) === undefined, 2 * MINUTE_MS);
      await eventually('its memory is free', () => card().vramUsedBytes - usedBefore < GIB / 2, MINUTE_MS);
    },
    4 * MINUTE_MS,
  );
});
