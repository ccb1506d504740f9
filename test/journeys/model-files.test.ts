import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { type CliResult, PROGRAMS, ProgramProcess, runCli } from '../harness/run-program.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';
import { hostProgram } from '../simulators/docker-engine/host-program.js';
import {
  type DockerEngineSimulator,
  startDockerEngine,
} from '../simulators/docker-engine/start-docker-engine.js';
import { vllmProgram } from '../simulators/docker-engine/vllm-program.js';
import { type HubSimulator, startHub } from '../simulators/hub/start-hub.js';

const IMAGE = 'docker.io/vllm/vllm-openai:v0.32.0';
const HUB_LIBRARY = fileURLToPath(new URL('../simulators/hub', import.meta.url));
const SMALL = { 'config.json': 200, 'tokenizer.json': 800, 'model.safetensors': 3_000_000 };
const hasPython = spawnSync('python3', ['--version']).status === 0;

interface Line {
  readonly kind: 'progress' | 'done' | 'failed';
  readonly doneBytes?: number;
  readonly totalBytes?: number | null;
  readonly bytes?: number;
}

/** From the command line to Python in a container of the engine's image, and back; the hub and its library stand in. */
describe.skipIf(!hasPython)('the model files of a host', () => {
  let home: TemporaryDirectory;
  let hub: HubSimulator;
  let controlPlane: BootedControlPlane;
  let engine: DockerEngineSimulator;
  let agent: ProgramProcess;

  const models = (...args: readonly string[]): Promise<CliResult> =>
    runCli(['models', ...args, '--host', 'armitage', '--data', controlPlane.dataDirectory]);
  const listed = async () =>
    (await controlPlane.api<{ models: { model: string }[] }>('/hosts/armitage/models')).models;
  const isIdle = () => engine.containers.every(({ name }) => name === 'ai-fabric-qwen');
  const prefetch = (model: string): Promise<Response> =>
    controlPlane.post(
      '/api/v1/hosts/armitage/models/prefetch',
      { model },
      {
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${controlPlane.adminToken}`,
        },
      },
    );

  beforeAll(async () => {
    home = temporaryDirectory();
    hub = await startHub({
      'example/small': { files: { ...SMALL, 'pytorch_model.bin': 3_000_000, 'onnx/model.onnx': 9 } },
      'example/gated': { files: SMALL, gated: true },
    });
    const cache = join(home.path, 'cache');
    mkdirSync(cache);
    const [serve, help] = [
      vllmProgram(),
      hostProgram({ variables: { HF_HOME: cache, PYTHONPATH: HUB_LIBRARY, PYTHONDONTWRITEBYTECODE: '1' } }),
    ];
    engine = await startDockerEngine({
      path: join(home.path, 'docker.sock'),
      images: [
        {
          reference: IMAGE,
          start: (container) => (container.wish.entrypoint.length === 0 ? serve : help)(container),
        },
      ],
    });
    controlPlane = await BootedControlPlane.boot({ fabric: fabricOf(hub.url) });
    const policy = join(home.path, 'agent.yaml');
    writeFileSync(policy, 'version: 1\nenvironment: [HF_ENDPOINT]\n');
    const environment = {
      AI_FABRIC_AGENT_STATE: join(home.path, 'agent'),
      AI_FABRIC_AGENT_NAME: 'armitage',
      AI_FABRIC_AGENT_POLICY: policy,
      AI_FABRIC_AGENT_CONTAINER_ENGINE: `unix://${engine.path}`,
      AI_FABRIC_AGENT_ENGINE_CADENCE_MS: '300',
    };
    const joining = new ProgramProcess(
      PROGRAMS.agent,
      ['join', '--server', controlPlane.tlsUrl, '--token-file', '-'],
      { environment },
    );
    joining.child.stdin?.end(await controlPlane.joinToken('armitage'));
    expect(await joining.ended()).toMatchObject({ exitCode: 0 });
    agent = new ProgramProcess(PROGRAMS.agent, ['run'], { environment });
    await eventually(
      'its replica is ready',
      async () => {
        const shown = await controlPlane.api<{ observed: { status: { phase: string } } | null }>(
          '/deployments/qwen',
        );
        return shown.observed?.status.phase === 'ready';
      },
      45_000,
    );
    await eventually('nobody looks into the cache', isIdle);
  });
  afterAll(async () => {
    await agent?.kill('SIGTERM');
    await controlPlane?.close();
    await engine?.close();
    await hub?.close();
    home?.remove();
  });

  test('are none at first', async () => {
    expect(await listed()).toEqual([]);
  });

  test('are fetched with their progress in bytes, one at a time, without what the engine does not load', async () => {
    hub.hold();
    const answer = await prefetch('example/small');
    expect(answer.status).toBe(200);
    const lines: Line[] = [];
    for await (const line of linesOf(answer)) {
      const isFirst = line.kind === 'progress' && line.doneBytes && !lines.some((each) => each.doneBytes);
      lines.push(line);
      if (!isFirst) continue;
      const busy = await models('ls');
      expect([busy.exitCode, busy.stderr]).toEqual([1, expect.stringContaining('another look')]);
      hub.release();
    }
    const total = Object.values(SMALL).reduce((sum, bytes) => sum + bytes, 0);
    const half = lines.find(({ doneBytes }) => doneBytes);
    expect(half?.totalBytes).toBe(total);
    expect(half?.doneBytes).toBeLessThan(total);
    expect(lines.at(-1)?.kind).toBe('done');
    expect(hub.fetched.map((path) => path.split('/').at(-1)).sort()).toEqual(Object.keys(SMALL).sort());
    expect(await listed()).toMatchObject([{ model: 'example/small', complete: true }]);
  });

  test('are listed with their sizes, and not fetched twice', async () => {
    const fetched = hub.fetched.length;
    const again = await models('prefetch', 'example/small');
    expect(again, again.stderr).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^example\/small is on armitage, /),
    });
    expect(hub.fetched).toHaveLength(fetched);
    const shown = JSON.parse((await models('ls', '--json')).stdout) as {
      models: { sizeBytes: number }[];
      totalBytes: number;
    };
    expect(shown.models[0]?.sizeBytes).toBeGreaterThan(3_000_000);
    expect(shown.totalBytes).toBe(shown.models[0]?.sizeBytes);
    expect((await models('ls')).stdout).toMatch(/^example\/small /m);
  });

  test.each([
    ['example/nobody', 'model_not_found'],
    ['example/gated', 'hf_token_needed'],
  ])('that cannot be had are said: %s', async (model, code) => {
    const refused = await models('prefetch', model, '--json');
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout + refused.stderr).toContain(code);
  });

  test('are gone when they are removed; what a deployment loads is not', async () => {
    const loaded = await models('rm', 'example/loaded');
    expect(loaded).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('loads example/loaded') });
    const removed = await models('rm', 'example/small');
    expect(removed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('are free again') });
    expect(await listed()).toEqual([]);
  });

  test('are fetched no longer than somebody listens, and go on from what came', async () => {
    hub.hold();
    for await (const { doneBytes } of linesOf(await prefetch('example/small'))) if (doneBytes) break;
    await eventually('its container is gone', isIdle);
    hub.release();
    expect(await listed()).toMatchObject([{ model: 'example/small', complete: false }]);
    expect((await models('prefetch', 'example/small')).exitCode).toBe(0);
    expect(await listed()).toMatchObject([{ model: 'example/small', complete: true }]);
  });
});

/** Who leaves before the end hangs up. */
async function* linesOf({ body }: Response): AsyncGenerator<Line> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as Line;
  }
}

function fabricOf(hubUrl: string): string {
  return `
version: 1
hosts: { armitage: {} }
deployments:
  qwen:
    host: armitage
    engine: vllm
    task: chat
    model: example/loaded
    contextTokens: 4096
    image: ${IMAGE}
    gpu: none
    environment: { HF_ENDPOINT: { value: "${hubUrl}" } }
roles:
  chat-fast: { task: chat, targets: [{ deployment: qwen }] }
`;
}
