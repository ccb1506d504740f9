import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ControlPlaneProcess } from '../harness/control-plane-process.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { readStream } from '../harness/read-stream.js';
import { describeReal } from '../harness/real-part.js';
import { type CliResult, PROGRAMS, ProgramProcess, runCli } from '../harness/run-program.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';
import { installNvidiaSmi } from '../simulators/nvidia-smi/install-nvidia-smi.js';
import { SAMPLE_CARDS } from '../simulators/nvidia-smi/scenario.js';
import { LocalRegistry } from './podman/local-registry.js';
import { PodmanMachine } from './podman/podman-machine.js';
import { podman } from './podman/podman-part.js';

const NAME = 'ai-fabric-qwen';
const WAIT = ['--timeout', '60s'];
/** Of each answer under load: it takes some 300 ms, so that there are always open ones when the container goes. */
const TOKENS = 60;
/** Beside other work, Podman takes its time: an engine is left a minute to end by itself, and is then killed. */
const REMOVED_MS = 120_000;

interface Observed {
  readonly observed: {
    readonly status: {
      readonly phase: string;
      readonly progress: { readonly doneBytes: number | null } | null;
    };
  } | null;
}

/** The programs as they are installed, from the command line to a container of Podman and back through the tunnel. */
describeReal('a model that is declared on a host with real Podman', [podman], () => {
  let home: TemporaryDirectory;
  let registry: LocalRegistry;
  let machine: PodmanMachine;
  let controlPlane: ControlPlaneProcess;
  let agent: ProgramProcess;
  let environment: Record<string, string>;
  let image: string;

  const ok = async (...args: readonly string[]): Promise<CliResult> => {
    const result = await runCli([...args, '--data', controlPlane.dataDirectory]);
    expect(result.exitCode, `${args.join(' ')}\n${result.stdout}\n${result.stderr}`).toBe(0);
    return result;
  };
  const chat = (more: object = {}): Promise<Response> =>
    fetch(`${controlPlane.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ model: 'chat-fast', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4 },
        ...more,
      }),
    });
  const inspect = async (format: string): Promise<string> =>
    (await machine.podman('inspect', '--format', format, NAME)).trim();
  const startAgent = (): void => {
    agent = new ProgramProcess(PROGRAMS.agent, ['run'], { environment });
  };

  beforeAll(async () => {
    home = temporaryDirectory();
    registry = await LocalRegistry.start();
    machine = await PodmanMachine.start({ registries: [registry.address] });
    image = `${registry.address}/vllm/vllm-openai:v0.32.0`;
    await machine.importVllmImage(image, { SIMULATED_TOKENS_PER_SECOND: '200' });
    await machine.podman('push', '--quiet', image);
    await machine.podman('rmi', image);
    controlPlane = new ControlPlaneProcess();
    await controlPlane.start({ fabric: fabricYaml({ hosts: { motoko: {} } }) });
    // With nothing on it: what a simulated card shows as used stays, whatever comes and goes in containers.
    const card = { ...SAMPLE_CARDS.rtx4070Super, uuid: machine.cardUuid, vramUsedMib: 500 };
    const driver = join(home.path, 'driver');
    const nvidiaSmi = await installNvidiaSmi({ directory: driver, scenario: { cards: [card] } });
    const state = join(home.path, 'agent');
    mkdirSync(state, { mode: 0o700 });
    writeFileSync(
      join(state, 'agent.yaml'),
      `version: 1\nimages: ["${registry.address}/vllm/vllm-openai"]\n`,
    );
    environment = {
      AI_FABRIC_AGENT_STATE: state,
      AI_FABRIC_AGENT_NAME: 'motoko',
      AI_FABRIC_AGENT_NVIDIA_SMI: nvidiaSmi.path,
      AI_FABRIC_AGENT_CONTAINER_ENGINE: `unix://${machine.socketPath}`,
    };
    const joinArgs = ['join', '--server', controlPlane.tlsUrl, '--token-file', '-'];
    const joining = new ProgramProcess(PROGRAMS.agent, joinArgs, { environment });
    joining.child.stdin?.end(await controlPlane.joinToken());
    expect(await joining.ended()).toMatchObject({ exitCode: 0 });
    startAgent();
  });

  afterAll(async () => {
    await agent?.kill('SIGTERM');
    await controlPlane?.close();
    await machine?.close();
    await registry?.close();
    home?.remove();
  });

  it('is pulled from a registry, made with its card on loopback alone, and proven', async () => {
    registry.fault = { kind: 'slow', bytesPerStep: 400_000 };
    const created = ok(
      ...['deployments', 'create', 'qwen', '--host', 'motoko', '--task', 'chat', '--image', image],
      ...['--model', 'Qwen/Qwen2.5-1.5B-Instruct', '--context', '4096', '--wait', ...WAIT],
    );
    const bytes = new Set<number>();
    await eventually('the pull tells its bytes, growing', async () => {
      const { observed } = await controlPlane.api<Observed>('/deployments/qwen');
      if (observed?.status.phase === 'pulling') bytes.add(observed.status.progress?.doneBytes ?? 0);
      return bytes.size >= 3;
    });
    const { stderr } = await created;
    expect(stderr).toMatch(/^qwen: pulling, .* so far$/m);
    expect(stderr).not.toMatch(/so far.*so far/);
    expect(await machine.podman('exec', NAME, 'nvidia-smi', '-L')).toContain(machine.cardUuid);
    expect(await inspect('{{json .HostConfig.PortBindings}}')).toMatch(
      /^\{"8000\/tcp":\[\{"HostIp":"127.0.0.1","HostPort":"\d+"\}\]\}$/,
    );
  });

  it('answers through /v1, by the tunnel alone: its port asks for a key that only its agent has', async () => {
    const role = { task: 'chat', targets: [{ deployment: 'qwen' }] };
    await controlPlane.api('/roles/chat-fast', { method: 'PUT', body: role });
    const answer = await chat();
    expect(answer.status, await answer.clone().text()).toBe(200);
    expect(answer.headers.get('x-fabric-replica')).toBe('qwen');
    expect((await readStream(await chat({ stream: true }))).done).toBe(true);
    const metrics = await (await fetch(`${controlPlane.url}/metrics`)).text();
    expect(metrics).toMatch(/^ai_fabric_tunnels_open 1$/m);
    const bindings = JSON.parse(await inspect('{{json .HostConfig.PortBindings}}')) as {
      '8000/tcp': [{ HostPort: string }];
    };
    const port = bindings['8000/tcp'][0].HostPort;
    expect((await fetch(`http://127.0.0.1:${port}/v1/models`)).status).toBe(401);
  });

  it('that was killed is back by itself, and who asks meanwhile is answered', async () => {
    const [id, before] = [await inspect('{{.Id}}'), await inspect('{{.State.StartedAt}}')];
    await machine.podman('kill', '--signal', 'KILL', NAME);
    const answer = await chat();
    expect(answer.status, await answer.clone().text()).toBe(200);
    expect(await inspect('{{.Id}}')).toBe(id);
    expect(await inspect('{{.State.StartedAt}}')).not.toBe(before);
  });

  it('that is declared otherwise under load is drained and made anew, and not one request is lost', async () => {
    const id = await inspect('{{.Id}}');
    let ended = false;
    const answers: string[] = [];
    const worker = async (stream: boolean): Promise<void> => {
      while (!ended) {
        const answer = await chat({ stream, max_tokens: TOKENS });
        const text = await answer.clone().text();
        const isWhole = stream ? (await readStream(answer)).done : text.includes('"choices"');
        answers.push(answer.status === 200 && isWhole ? 'whole' : `${answer.status}: ${text}`);
      }
    };
    const load = Promise.all(Array.from({ length: 6 }, (_, index) => worker(index % 2 === 0)));
    try {
      await eventually('the load is there', () => answers.length >= 12);
      await ok('deployments', 'set', 'qwen', '--context', '2048');
      await eventually('it is another one', async () => (await inspect('{{.Id}}')) !== id, 30_000);
      await ok('deployments', 'wait', 'qwen', ...WAIT);
      const before = answers.length;
      await eventually('the new one answers', () => answers.length >= before + 12, 30_000);
    } finally {
      ended = true;
      await load;
    }
    expect(answers.filter((answer) => answer !== 'whole')).toEqual([]);
    expect(await inspect('{{.Config.Cmd}}')).toContain('--max-model-len 2048');
  });

  it('is recognised by an agent that was killed and started again, and runs on', async () => {
    const before = await inspect('{{.Id}} {{.State.StartedAt}}');
    await agent.kill('SIGKILL');
    startAgent();
    await eventually('it answers', async () => (await chat()).status === 200, 30_000);
    expect(await inspect('{{.Id}} {{.State.StartedAt}}')).toBe(before);
  });

  it('that is removed leaves no container', async () => {
    await controlPlane.api('/roles/chat-fast', { method: 'DELETE' });
    await ok('deployments', 'rm', 'qwen');
    const containers = (): Promise<string> =>
      machine.podman('ps', '--all', '--format', '{{.Names}} {{.Status}}');
    await eventually('nothing is left', async () => (await containers()).trim() === '', REMOVED_MS).catch(
      async (cause: unknown) => {
        const [left, said] = [await containers(), agent.stdout.slice(-2_000)];
        throw new Error(`a container is left: ${left}; its agent said:\n${said}`, { cause });
      },
    );
    expect((await chat()).status).toBe(404);
  }, 180_000);
});
