import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../bench/machine/free-ports.js';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { FeedSubscriber } from '../harness/feed-subscriber.js';
import { errorOf } from '../harness/raw-http.js';
import { readStream } from '../harness/read-stream.js';
import { PROGRAMS, ProgramProcess } from '../harness/run-program.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';
import {
  type DockerEngineSimulator,
  startDockerEngine,
} from '../simulators/docker-engine/start-docker-engine.js';
import { vllmProgram } from '../simulators/docker-engine/vllm-program.js';
import { installNvidiaSmi } from '../simulators/nvidia-smi/install-nvidia-smi.js';
import { SAMPLE_CARDS } from '../simulators/nvidia-smi/scenario.js';

const CARD = { ...SAMPLE_CARDS.rtx4070Super, vramUsedMib: 500 };
const IMAGE = 'docker.io/vllm/vllm-openai:v0.32.0';
const NAME = 'ai-fabric-qwen';
const SLOW = { replyTokens: 5_000, speed: { decodeTokensPerSecond: 100 } };
/** Another one than that of the link, and than that of a tunnel's engines. */
const ADDRESS = '127.0.0.9';

/** The agent as it is installed, with an owner who opens one address of the host. */
describe('a model that is reached directly', () => {
  const logLines: string[] = [];
  let home: TemporaryDirectory;
  let controlPlane: BootedControlPlane;
  let engine: DockerEngineSimulator;
  let agent: ProgramProcess;
  let environment: Record<string, string>;
  let port: number;

  const chat = (more: object = {}): Promise<Response> =>
    controlPlane.post('/v1/chat/completions', {
      ...{ model: 'chat-fast', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4 },
      ...more,
    });
  const change = (changes: object): Promise<unknown> =>
    controlPlane.api('/deployments/qwen', { method: 'PATCH', body: { changes } });
  const answers = async (): Promise<void> => {
    await eventually('it answers', async () => (await chat()).status === 200, 30_000);
  };
  const keyOfEngine = (): string => String(engine.container(NAME).environment['VLLM_API_KEY']);

  beforeAll(async () => {
    home = temporaryDirectory();
    [port = 0] = await freePorts(1);
    controlPlane = await BootedControlPlane.boot({ fabric: fabricOf(port), logLines });
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
    const policy = join(home.path, 'agent.yaml');
    writeFileSync(policy, `version: 1\ndirectAddress: ${ADDRESS}\n`);
    environment = {
      AI_FABRIC_AGENT_STATE: join(home.path, 'agent'),
      AI_FABRIC_AGENT_NAME: 'armitage',
      AI_FABRIC_AGENT_POLICY: policy,
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
    agent = new ProgramProcess(PROGRAMS.agent, ['run'], { environment });
  });
  afterAll(async () => {
    await agent?.kill('SIGTERM');
    await controlPlane?.close();
    await engine?.close();
    home?.remove();
  });

  test('answers through /v1, with its key, at the one address that its owner opened', async () => {
    await answers();
    const answer = await chat();
    expect(answer.headers.get('x-fabric-replica')).toBe('qwen');
    const [published] = engine.container(NAME).wish.ports;
    expect(published).toMatchObject({ hostAddress: ADDRESS, hostPort: port });
    const url = `http://${ADDRESS}:${port}/v1/models`;
    expect((await fetch(url)).status).toBe(401);
    const headers = { authorization: `Bearer ${keyOfEngine()}` };
    expect((await fetch(url, { headers })).status).toBe(200);
    const stream = await readStream(await chat({ stream: true, max_tokens: 20 }));
    expect(stream).toMatchObject({ done: true, errorCode: null });
  });

  test('is told of without its key, which is in no log and in no file of the control plane', async () => {
    const key = keyOfEngine();
    expect(key.length).toBeGreaterThanOrEqual(32);
    const authorization = `Bearer ${controlPlane.adminToken}`;
    const feed = new FeedSubscriber(controlPlane.tlsUrl, { authorization });
    await eventually('the feed tells of it', () => feed.replicas.has('qwen'));
    const shown = [
      await controlPlane.api('/deployments/qwen'),
      await controlPlane.api('/deployments'),
      await controlPlane.api('/hosts/armitage'),
      feed.messages,
    ];
    await feed.close();
    const text = JSON.stringify(shown);
    expect(text).toContain('"phase":"ready"');
    expect(text).not.toContain(key);
    expect(logLines.join('')).not.toContain(key);
    expect(agent.stdout + agent.stderr).not.toContain(key);
    for (const file of filesBelow(controlPlane.dataDirectory)) {
      expect(readFileSync(file).includes(key), file).toBe(false);
    }
  });

  test('whose address is not declared is refused with the reason, since its link may come from a proxy', async () => {
    const { id } = engine.container(NAME);
    await change({ address: null });
    await eventually('it is refused', async () => (await chat({ model: 'chat-at-once' })).status === 503);
    const refused = await chat({ model: 'chat-at-once' });
    expect(errorOf(await refused.text()).message).toMatch(
      /may be a proxy; declare the deployment's "address"/,
    );
    await change({ address: ADDRESS });
    await answers();
    expect(engine.container(NAME).id).toBe(id);
  });

  test('that is declared otherwise finishes its streams before it is made anew', {
    timeout: 60_000,
  }, async () => {
    const { id } = engine.container(NAME);
    const stream = await chat({ stream: true, max_tokens: 400 });
    const read = readStream(stream);
    await change({ contextTokens: 8_192 });
    const isAnother = async (): Promise<boolean> => {
      const answer = await chat();
      expect(answer.status, await answer.clone().text()).toBe(200);
      return engine.containers.some((each) => each.id !== id && each.name === NAME);
    };
    await eventually('it is another one', isAnother, 45_000);
    expect(await read).toMatchObject({ done: true, errorCode: null });
  });

  test('goes on answering when its agent was killed, which a tunnel would not', async () => {
    await answers();
    await agent.kill('SIGKILL');
    for (let round = 0; round < 3; round += 1) expect((await chat()).status).toBe(200);
    const { id } = engine.container(NAME);
    agent = new ProgramProcess(PROGRAMS.agent, ['run'], { environment });
    await eventually('it is linked again', () => agent.stdout.includes('link: up'), 30_000);
    await answers();
    expect(engine.container(NAME).id).toBe(id);
  });
});

function filesBelow(directory: string): string[] {
  return readdirSync(directory)
    .map((name) => join(directory, name))
    .flatMap((path) => {
      if (statSync(path).isDirectory()) return filesBelow(path);
      return statSync(path).isFile() ? [path] : [];
    });
}

function fabricOf(port: number): string {
  return `
version: 1
hosts: { armitage: {} }
deployments:
  qwen:
    host: armitage
    engine: vllm
    task: chat
    model: Qwen/Qwen2.5-1.5B-Instruct
    contextTokens: 4096
    image: ${IMAGE}
    reach: direct
    port: ${port}
    address: ${ADDRESS}
roles:
  chat-fast: { task: chat, targets: [{ deployment: qwen }] }
  chat-at-once: { task: chat, targets: [{ deployment: qwen }], patienceSeconds: 0 }
`;
}
