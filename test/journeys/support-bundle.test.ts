import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openContainerEngine } from '@ai-fabric/agent';
import { systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePorts } from '../bench/machine/free-ports.js';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { describeThorough } from '../harness/real-part.js';
import { type CliResult, PROGRAMS, ProgramProcess } from '../harness/run-program.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { readBundle, type SupportBundle } from '../simulators/bundle/read-bundle.js';
import { type ReplayedHost, replayBundle } from '../simulators/bundle/replay-bundle.js';
import { eventually } from '../simulators/common/eventually.js';
import { spec } from '../simulators/docker-engine/engine-fixture.js';
import { startDockerEngine } from '../simulators/docker-engine/start-docker-engine.js';
import { vllmProgram } from '../simulators/docker-engine/vllm-program.js';
import { installNvidiaSmi } from '../simulators/nvidia-smi/install-nvidia-smi.js';
import { SAMPLE_CARDS } from '../simulators/nvidia-smi/scenario.js';
import { startVllmSimulator } from '../simulators/vllm/start-vllm-simulator.js';

const IMAGE = 'docker.io/vllm/vllm-openai:v0.32.0';
/** A machine that is busy with others takes its time. */
const SOON_MS = 60_000;
const SECRETS = {
  hub: 'hf_plantedPlantedPlanted123',
  engine: 'planted engine key & more',
  odd: 'plantedOddButDrawn0123456789aZ',
  flag: 'planted-on-a-command-line',
  policy: 'planted/in/agent.yaml',
  proxy: 'planted%3Bin%20an%20address',
} as const;

let home: TemporaryDirectory;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  home = temporaryDirectory();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  home.remove();
});

interface SeenHost {
  readonly presence: string;
  readonly inventory: { readonly gpus: readonly object[]; readonly containerEngine?: object } | null;
  readonly sample: { readonly gpus: Readonly<Record<string, object>> } | null;
}
interface SeenDeployment {
  readonly observed: {
    readonly status: { readonly phase: string; readonly engineVersion: string; readonly maxModelLen: number };
    readonly reading: { readonly kvUsage?: number } | null;
  } | null;
}

type Environment = Readonly<Record<string, string>>;

async function agentProgram(args: readonly string[], environment: Environment): Promise<CliResult> {
  const program = new ProgramProcess(PROGRAMS.agent, args, { environment });
  program.child.stdin?.end();
  return program.ended();
}

/** What a control plane hears of a host that has these surroundings. @param meanwhile while its agent runs */
async function hear(
  state: string,
  surroundings: Environment,
  engineUrl: string,
  meanwhile: (environment: Environment) => Promise<void> = () => Promise.resolve(),
): Promise<object> {
  const plane = await BootedControlPlane.boot({
    fabric: fabricYaml({
      hosts: { armitage: {} },
      deployments: { chat: { host: 'armitage', url: engineUrl, servedModel: 'Qwen/Qwen2.5-7B' } },
    }),
  });
  closing.push(() => plane.close());
  const environment = {
    ...{ AI_FABRIC_AGENT_STATE: state, AI_FABRIC_AGENT_NAME: 'armitage', AI_FABRIC_AGENT_LOG_LEVEL: 'warn' },
    ...{ AI_FABRIC_AGENT_GPU_CADENCE_MS: '300', AI_FABRIC_AGENT_ENGINE_CADENCE_MS: '300' },
    ...surroundings,
  };
  const tokenFile = join(home.path, 'token');
  writeFileSync(tokenFile, await plane.joinToken('armitage'), { mode: 0o600 });
  const joined = await agentProgram(
    ['join', '--server', plane.tlsUrl, '--token-file', tokenFile],
    environment,
  );
  expect(joined).toMatchObject({ exitCode: 0 });
  const agent = new ProgramProcess(PROGRAMS.agent, ['run'], { environment });
  closing.push(() => agent.kill('SIGTERM'));
  let host: SeenHost | null = null;
  let deployment: SeenDeployment | null = null;
  await eventually(
    'all of it was heard',
    async () => {
      host = await plane.api<SeenHost>('/hosts/armitage');
      deployment = await plane.api<SeenDeployment>('/deployments/chat');
      const cards = host.inventory?.gpus.length ?? 0;
      return (
        cards > 0 &&
        host.inventory?.containerEngine !== undefined &&
        Object.keys(host.sample?.gpus ?? {}).length === cards &&
        deployment.observed?.status.phase === 'ready' &&
        deployment.observed.reading !== null
      );
    },
    SOON_MS,
  ).catch((error: Error) => {
    throw new Error(
      `${error.message}: ${JSON.stringify(host)} ${JSON.stringify(deployment)} ${agent.stdout}`,
    );
  });
  await meanwhile(environment);
  await agent.kill('SIGTERM');
  const { inventory, sample } = host as unknown as SeenHost;
  const { status, reading } = (deployment as unknown as SeenDeployment).observed ?? {};
  return {
    cards: inventory?.gpus,
    containerEngine: inventory?.containerEngine,
    columns: Object.fromEntries(
      Object.entries(sample?.gpus ?? {}).map(([uuid, values]) => [uuid, Object.keys(values).sort()]),
    ),
    engine: {
      version: status?.engineVersion,
      contextTokens: status?.maxModelLen,
      reading: Object.keys(reading ?? {}).sort(),
    },
  };
}

/** A host as it may be anywhere, with secrets where they should and should not be. */
async function startSurroundings(): Promise<{
  readonly environment: Environment;
  readonly engineUrl: string;
}> {
  const nvidiaSmi = await installNvidiaSmi({
    directory: join(home.path, 'driver'),
    scenario: { driver: 535, cards: [SAMPLE_CARDS.rtx4070Super, SAMPLE_CARDS.rtx2080] },
  });
  const path = join(home.path, 'podman.sock');
  const docker = await startDockerEngine({
    ...{ path, flavour: 'podman', version: '5.4.2', rootless: true },
    cards: [SAMPLE_CARDS.rtx2080],
    images: [{ reference: IMAGE, start: vllmProgram() }],
  });
  closing.push(() => docker.close());
  const log = pino({ level: 'silent' });
  const client = openContainerEngine({
    ...{ endpoints: [path], platform: process.platform, clock: systemClock(), log },
  });
  const { signal } = new AbortController();
  const [hostPort = 0] = await freePorts(1);
  const kept = spec({
    name: 'ai-fabric-qwen',
    image: IMAGE,
    command: ['--model', 'Qwen/Qwen3-8B', '--served-model-name', 'qwen', '--hf-token', SECRETS.flag],
    environment: { VLLM_API_KEY: SECRETS.engine, ODD: SECRETS.odd, VLLM_LOGGING_LEVEL: 'INFO' },
    labels: { 'io.ai-fabric.deployment': 'qwen', 'io.ai-fabric.host': 'h' },
    gpus: 'none',
    publish: [{ hostAddress: '127.0.0.1', hostPort, containerPort: 8_000 }],
  });
  await client.start((await client.create(kept, signal)).id, signal);
  docker
    .container('ai-fabric-qwen')
    .log(`it said ${SECRETS.engine} and ${SECRETS.odd} and ${SECRETS.policy}\n`);
  await client.close();
  const engine = await startVllmSimulator({
    model: 'Qwen/Qwen2.5-7B',
    maxModelLen: 12_345,
    version: '0.31.7',
  });
  closing.push(() => engine.close());
  const environment = {
    AI_FABRIC_AGENT_NVIDIA_SMI: nvidiaSmi.path,
    AI_FABRIC_AGENT_CONTAINER_ENGINE: `unix://${path}`,
    HF_TOKEN: SECRETS.hub,
    https_proxy: `http://me:${SECRETS.proxy}@proxy.example.net:3128`,
  };
  return { environment, engineUrl: engine.url };
}

async function makeBundle(environment: Environment, ...flags: string[]): Promise<[CliResult, SupportBundle]> {
  const file = join(home.path, `bundle-${flags.length}.tar.gz`);
  const result = await agentProgram(['support-bundle', '--out', file, ...flags], environment);
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  return [result, await readBundle(file)];
}

describeThorough('a support bundle, replayed', { timeout: 240_000 }, () => {
  test('has what helps and no secret, and simulators that replay it are the same host to an agent', async () => {
    const { environment, engineUrl } = await startSurroundings();
    let bundle: SupportBundle | null = null;
    const heard = await hear(join(home.path, 'state'), environment, engineUrl, async (ofAgent) => {
      writeFileSync(
        join(home.path, 'state', 'agent.yaml'),
        `version: 1\nimages: [vllm/vllm-openai]\nregistry: { password: ${SECRETS.policy} }\n`,
      );
      const [result, made] = await makeBundle(ofAgent, '--json');
      bundle = made;
      expect(JSON.parse(result.stdout)).toMatchObject({ format: 1, namesRedacted: false });
    });
    const { texts, manifest } = bundle as unknown as SupportBundle;
    for (const name of [
      ...['status.json', 'doctor.json', 'config/agent.yaml', 'records/agent.json', 'host/host.json'],
      ...['nvidia-smi/readings.csv', 'nvidia-smi/inventory.xml', 'nvidia-smi/list.txt'],
      ...['containers/version.json', 'containers/ai-fabric-qwen.json', 'containers/ai-fabric-qwen.log'],
      ...['engines/qwen/models.json', 'engines/chat/metrics.txt', 'engines/chat/models.json'],
    ]) {
      expect([name, texts.has(name)]).toEqual([name, true]);
    }
    expect(texts.get('containers/ai-fabric-qwen.json')).toContain('VLLM_LOGGING_LEVEL=INFO');
    expect(texts.get('containers/ai-fabric-qwen.log')).toContain(
      'it said «masked» and «masked» and «masked»',
    );
    for (const [name, text] of texts) {
      for (const secret of Object.values(SECRETS))
        expect([name, text.includes(secret)]).toEqual([name, false]);
    }
    expect(manifest.secrets).toEqual(expect.arrayContaining(['HF_TOKEN of the environment of this program']));
    expect(manifest.missing.map(({ name }) => name)).toContain('records/installed.json');
    for (const close of closing.splice(0).reverse()) await close();

    const replayed: ReplayedHost = await replayBundle({ texts, manifest }, join(home.path, 'replay'));
    closing.push(() => replayed.close());
    const again = await hear(
      join(home.path, 'other-state'),
      replayed.environment,
      replayed.engines.get('chat')?.url ?? '',
    );
    expect(again).toEqual(heard);
  });
});

describe('a support bundle', () => {
  test('is made where no agent runs and nothing answers, says what is missing, and takes no other file’s place', async () => {
    const environment = {
      AI_FABRIC_AGENT_STATE: join(home.path, 'none'),
      AI_FABRIC_AGENT_NVIDIA_SMI: join(home.path, 'nothing', 'nvidia-smi'),
      AI_FABRIC_AGENT_CONTAINER_ENGINE: `unix://${join(home.path, 'no.sock')}`,
      AI_FABRIC_AGENT_NAME: 'wintermute',
    };
    const [result, { manifest, texts }] = await makeBundle(environment, '--redact-names');
    expect(result.stdout).toMatch(/✓ system and network: \d+ files/);
    expect(result.stdout).toMatch(/Wrote \S+bundle-1\.tar\.gz/);
    const missing = new Map(manifest.missing.map(({ name, reason }) => [name, reason]));
    expect(missing.get('nvidia-smi')).toContain('is not an absolute path of a file');
    expect(missing.get('containers/engine')).toContain('engine_unreachable');
    expect(missing.get('records/agent.json')).toContain('it is not there');
    expect(texts.get('status.json')).toContain('"running": false');
    for (const [name, text] of texts) expect([name, /wintermute/i.test(text)]).toEqual([name, false]);
    const before = readdirSync(home.path);
    const file = join(home.path, 'bundle-1.tar.gz');
    const again = await agentProgram(['support-bundle', '--out', file, '--json'], environment);
    expect([again.exitCode, JSON.parse(again.stdout)]).toEqual([
      1,
      { error: { code: 'failed', message: expect.stringContaining('is there already') } },
    ]);
    expect(readdirSync(home.path)).toEqual(before);
  });
});
