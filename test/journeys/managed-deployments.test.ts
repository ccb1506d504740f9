import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { readStream } from '../harness/read-stream.js';
import { type CliResult, PROGRAMS, ProgramProcess, runCli } from '../harness/run-program.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';
import {
  type DockerEngineSimulator,
  startDockerEngine,
} from '../simulators/docker-engine/start-docker-engine.js';
import { vllmProgram } from '../simulators/docker-engine/vllm-program.js';
import { installNvidiaSmi } from '../simulators/nvidia-smi/install-nvidia-smi.js';
import { SAMPLE_CARDS } from '../simulators/nvidia-smi/scenario.js';

/** With nothing on it: what a simulated card shows as used stays, whatever comes and goes in containers. */
const CARD = { ...SAMPLE_CARDS.rtx4070Super, vramUsedMib: 500 };
const IMAGE = 'docker.io/vllm/vllm-openai:v0.32.0';
const NAME = 'ai-fabric-qwen';
const SLOW = { replyTokens: 5_000, speed: { decodeTokensPerSecond: 100 } };
const WAIT = ['--timeout', '60s'];

/** The programs as they are installed, from the command line to the container and back through the tunnel. */
describe('a model that is declared on a host', () => {
  let home: TemporaryDirectory;
  let controlPlane: BootedControlPlane;
  let engine: DockerEngineSimulator;
  let agent: ProgramProcess;
  let environment: Record<string, string>;

  const cli = (...args: readonly string[]): Promise<CliResult> =>
    runCli([...args, '--data', controlPlane.dataDirectory]);
  const ok = async (...args: readonly string[]): Promise<CliResult> => {
    const result = await cli(...args);
    expect(result.exitCode, `${args.join(' ')}\n${result.stdout}\n${result.stderr}`).toBe(0);
    return result;
  };
  const chat = (more: object = {}): Promise<Response> =>
    controlPlane.post('/v1/chat/completions', {
      ...{ model: 'chat-fast', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4 },
      ...more,
    });
  const startAgent = (): void => {
    agent = new ProgramProcess(PROGRAMS.agent, ['run'], { environment });
  };

  beforeAll(async () => {
    home = temporaryDirectory();
    controlPlane = await BootedControlPlane.boot({ fabric: fabricYaml({ hosts: { armitage: {} } }) });
    engine = await startDockerEngine({
      path: join(home.path, 'docker.sock'),
      cards: [{ uuid: CARD.uuid, name: CARD.name }],
      registry: [{ reference: IMAGE, start: vllmProgram({ vllm: SLOW }) }],
      layerMs: 5,
    });
    const nvidiaSmi = await installNvidiaSmi({
      directory: join(home.path, 'driver'),
      scenario: { cards: [CARD] },
    });
    environment = {
      AI_FABRIC_AGENT_STATE: join(home.path, 'agent'),
      AI_FABRIC_AGENT_NAME: 'armitage',
      AI_FABRIC_AGENT_NVIDIA_SMI: nvidiaSmi.path,
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
    startAgent();
  });
  afterAll(async () => {
    await agent?.kill('SIGTERM');
    await controlPlane?.close();
    await engine?.close();
    home?.remove();
  });

  test('is pulled, made with the card, proven, and answers through /v1', async () => {
    const { stdout } = await ok(
      ...['deployments', 'create', 'qwen', '--host', 'armitage', '--task', 'chat'],
      ...['--model', 'Qwen/Qwen2.5-1.5B-Instruct', '--context', '4096', '--image', IMAGE],
    );
    expect(stdout).toContain('qwen');
    await ok('deployments', 'wait', 'qwen', ...WAIT);
    const role = { task: 'chat', targets: [{ deployment: 'qwen' }] };
    await controlPlane.api('/roles/chat-fast', { method: 'PUT', body: role });
    const answer = await chat();
    expect(answer.status, await answer.clone().text()).toBe(200);
    expect(answer.headers.get('x-fabric-replica')).toBe('qwen');
    expect(engine.container(NAME).wish.ports[0]?.hostAddress).toBe('127.0.0.1');
  });

  test('is shown with the container engine that has it', async () => {
    const { stdout } = await ok('hosts', 'show', 'armitage');
    expect(stdout).toMatch(/containers +Docker 28\.1\.1, rootful, reachable/);
    const shown = await controlPlane.api('/hosts/armitage');
    expect(shown).toMatchObject({
      inventory: { containerEngine: { reachable: true, flavour: 'docker', rootless: false } },
    });
  });

  test('is not given for a container that the host does not have', async () => {
    const mistyped = await cli('deployments', 'adopt', 'qwen', '--container', 'vllm-armitge');
    expect(mistyped.exitCode).toBe(3);
    expect(mistyped.stderr).toMatch(/no container "vllm-armitge" on host "armitage"/);
    expect(await controlPlane.api('/deployments/qwen')).toMatchObject({ adopt: null });
    const answer = await chat();
    expect(answer.status, await answer.clone().text()).toBe(200);
  });

  test('shows its log through the control plane', async () => {
    const { stdout } = await ok('logs', 'qwen', '--tail', '5');
    expect(stdout).toContain('vLLM API server version');
  });

  test('that was killed is back by itself, and no request is lost meanwhile', async () => {
    await engine.kill(NAME);
    const answer = await chat();
    expect(answer.status, await answer.clone().text()).toBe(200);
  });

  test('whose agent is killed amid a stream: that ends in an error, others are held, the container stays', async () => {
    const { id } = engine.container(NAME);
    const stream = await chat({ stream: true, max_tokens: 3_000 });
    const read = readStream(stream);
    await agent.kill('SIGKILL');
    expect(await read).toMatchObject({ done: false, errorCode: 'upstream_interrupted' });
    const held = [chat(), chat({ stream: true })];
    startAgent();
    const [whole, streamed] = (await Promise.all(held)) as [Response, Response];
    expect(whole.status, await whole.clone().text()).toBe(200);
    expect(await readStream(streamed)).toMatchObject({ done: true, errorCode: null });
    expect(engine.container(NAME).id).toBe(id);
  });

  test('that is declared otherwise is made anew, while requests are held', async () => {
    const { id } = engine.container(NAME);
    await ok('deployments', 'set', 'qwen', '--context', '8192');
    await eventually(
      'it is another one',
      async () => {
        expect((await chat()).status).toBe(200);
        return engine.containers.some((each) => each.id !== id && each.name === NAME);
      },
      30_000,
    );
    await ok('deployments', 'wait', 'qwen', ...WAIT);
  });

  test('stops and starts when it is told to', async () => {
    await ok('deployments', 'stop', 'qwen');
    await ok('deployments', 'wait', 'qwen', '--for', 'stopped', ...WAIT);
    expect((await chat()).status).toBe(503);
    await ok('deployments', 'start', 'qwen');
    await ok('deployments', 'wait', 'qwen', ...WAIT);
    expect((await chat()).status).toBe(200);
  });

  test('gives its card back and takes it again, where it was declared for that', async () => {
    const refused = await cli('deployments', 'park', 'qwen');
    expect(refused.exitCode).toBe(4);
    const before = engine.container(NAME).id;
    await ok('deployments', 'set', 'qwen', '--parkable');
    // The one before is ready until its agent hears of it.
    await eventually('it is another one', () =>
      engine.containers.some((each) => each.id !== before && each.name === NAME),
    );
    await ok('deployments', 'wait', 'qwen', ...WAIT);
    const { id } = engine.container(NAME);
    await ok('deployments', 'park', 'qwen', '--wait', ...WAIT);
    expect((await chat()).status).toBe(503);
    await ok('deployments', 'unpark', 'qwen', '--wait', ...WAIT);
    expect((await chat()).status).toBe(200);
    expect(engine.container(NAME)).toMatchObject({ id, state: 'running' });
  });

  test('that is removed leaves no container', async () => {
    await controlPlane.api('/roles/chat-fast', { method: 'DELETE' });
    await ok('deployments', 'rm', 'qwen');
    await eventually('nothing is left', async () => engine.containers.length === 0, 30_000);
  });
});
