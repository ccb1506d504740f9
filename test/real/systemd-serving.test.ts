import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { readStream } from '../harness/read-stream.js';
import { describeReal } from '../harness/real-part.js';
import { runCli } from '../harness/run-program.js';
import { SystemdMachine } from '../harness/systemd-machine.js';
import { systemd } from '../harness/systemd-root.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import type { ToldCheck } from '../harness/told-check.js';
import { eventually } from '../simulators/common/eventually.js';
import {
  type DockerEngineSimulator,
  startDockerEngine,
} from '../simulators/docker-engine/start-docker-engine.js';
import { vllmProgram } from '../simulators/docker-engine/vllm-program.js';
import { SAMPLE_CARDS } from '../simulators/nvidia-smi/scenario.js';
import { serveStandIn } from './systemd/serve-stand-in.js';
import { installCard } from './systemd/simulated-card.js';
import { makeStandInRelease, STAND_IN } from './systemd/stand-in-release.js';

const IMAGE = 'docker.io/vllm/vllm-openai:v0.32.0';
const CARD = { ...SAMPLE_CARDS.rtx4070, vramUsedMib: 500 };
const PROGRAM = `${STAND_IN}/release/ai-fabric-agent`;
const AGENT = '/usr/local/bin/ai-fabric-agent';
const DROP_IN = 'etc/systemd/system/ai-fabric-agent.service.d';

/** The card and the engine behind Docker's socket are simulated; the agent, its service and its rights are real. */
describeReal('a replica of an agent that is a service', [systemd], () => {
  let home: TemporaryDirectory;
  let fabric: BootedControlPlane;
  let engine: DockerEngineSimulator;
  let machine: SystemdMachine;

  beforeAll(async () => {
    home = temporaryDirectory();
    fabric = await BootedControlPlane.boot({
      fabric: fabricYaml({ hosts: { armitage: { mayBeAway: true } } }),
      config: { releaseDirectory: join(home.path, 'served') },
    });
    const sockets = join(home.path, 'engine');
    mkdirSync(sockets, { mode: 0o755 });
    engine = await startDockerEngine({
      path: join(sockets, 'docker.sock'),
      cards: [{ uuid: CARD.uuid, name: 'NVIDIA GeForce RTX 4070' }],
      registry: [
        { reference: IMAGE, start: vllmProgram({ vllm: { speed: { decodeTokensPerSecond: 20 } } }) },
      ],
    });
    chmodSync(engine.path, 0o666);
    const binds = [...makeStandInRelease(home.path), { from: sockets, to: '/srv/engine' }];
    machine = await SystemdMachine.create({ hostName: 'armitage', binds });
    await installCard(home.path, machine.root, CARD);
    nameEngine(machine.root);
    await machine.boot();
  }, 960_000);

  afterAll(async () => {
    await machine?.close();
    await engine?.close();
    await fabric?.close();
    home?.remove();
  }, 120_000);

  const ok = async (...args: readonly string[]): Promise<void> => {
    const result = await runCli([...args, '--data', fabric.dataDirectory]);
    expect(result.exitCode, `${args.join(' ')}\n${result.stdout}\n${result.stderr}`).toBe(0);
  };

  it('has its card and its engine on the checklist of the install', async () => {
    const installed = await machine.run(
      [
        ...[PROGRAM, 'install', '--json', '--release', `${STAND_IN}/release`],
        ...['--server', fabric.tlsUrl, '--token-file', '-'],
      ],
      { input: `${await fabric.joinToken('armitage')}\n` },
    );
    expect(installed.exitCode, installed.stdout + installed.stderr).toBe(0);
    const { checks } = JSON.parse(installed.stdout) as { checks: ToldCheck[] };
    const states = Object.fromEntries(checks.map(({ id, state }) => [id, state]));
    expect(states, installed.stdout).toMatchObject({
      ...{ linked: 'green', driver_and_cards: 'green', container_engine: 'green', cdi: 'not_applicable' },
      ...{ gpu_in_container: 'waiting', sign_in_at_boot: 'green' },
    });
  });

  it('is brought to ready, sees its card and answers through the tunnel', async () => {
    await ok(
      ...['deployments', 'create', 'qwen', '--host', 'armitage', '--task', 'chat', '--image', IMAGE],
      ...['--model', 'Qwen/Qwen2.5-1.5B-Instruct', '--context', '4096'],
    );
    await ok('deployments', 'wait', 'qwen', '--timeout', '90s');
    const examined = await machine.run([PROGRAM, 'doctor', '--json']);
    const { checks } = JSON.parse(examined.stdout) as { checks: ToldCheck[] };
    expect(checks.find(({ id }) => id === 'gpu_in_container')).toMatchObject({ state: 'green' });
  });

  it('is untouched by an upgrade of its agent, and serves on', async () => {
    const { id, startedAtMs } = engine.container('ai-fabric-qwen');
    serveStandIn(home.path, join(home.path, 'served'), '0.2.0');
    await eventually(
      'the host is offered what was just put there',
      async () => {
        const path = '/hosts/armitage/offer-upgrade';
        return (await fabric.api<{ answer: string }>(path, { method: 'POST' })).answer === 'done';
      },
      60_000,
    );

    const upgraded = await machine.run([AGENT, 'upgrade', '--yes', '--json'], { timeoutMs: 240_000 });

    expect(upgraded.exitCode, upgraded.stdout + upgraded.stderr).toBe(0);
    await ok('deployments', 'wait', 'qwen', '--timeout', '90s');
    const answer = await fabric.post('/v1/chat/completions', {
      ...{ model: 'qwen', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 5 },
    });
    expect(answer.status).toBe(200);
    await answer.text();
    expect(engine.container('ai-fabric-qwen')).toMatchObject({ id, startedAtMs, state: 'running' });
  }, 400_000);

  /** Twenty a second. */
  const streamTokens = async (count: number): Promise<Response> => {
    const role = { task: 'chat', targets: [{ deployment: 'qwen' }] };
    await fabric.api('/roles/chat-fast', { method: 'PUT', body: role });
    const messages = [{ role: 'user', content: 'Hello' }];
    const wanted = { model: 'chat-fast', messages, max_tokens: count, ignore_eos: true, stream: true };
    const answer = await fabric.post('/v1/chat/completions', wanted);
    expect(answer.status).toBe(200);
    return answer;
  };

  it('comes back where its uninstall is interrupted while a request ends', async () => {
    const { id } = engine.container('ai-fabric-qwen');
    const answer = await streamTokens(1_000);

    const interrupt = ['timeout', '--preserve-status', '--signal=INT', '8s'];
    const gone = await machine.run([...interrupt, AGENT, 'uninstall', '--yes', '--json']);

    await answer.body?.cancel();
    expect([gone.exitCode, JSON.parse(gone.stdout)]).toMatchObject([1, { error: { code: 'interrupted' } }]);
    expect(gone.stderr).toContain('Interrupted: what is under way is brought to a safe end.');
    await ok('deployments', 'wait', 'qwen', '--timeout', '90s');
    expect(engine.container('ai-fabric-qwen')).toMatchObject({ id, state: 'running' });
  });

  it('finishes what it answers before it is uninstalled, and its container stays, stopped', async () => {
    const reading = readStream(await streamTokens(60));

    const gone = await machine.run([AGENT, 'uninstall', '--yes', '--json']);

    expect(gone.exitCode, gone.stdout + gone.stderr).toBe(0);
    expect(await reading).toMatchObject({ done: true, errorCode: null });
    expect(engine.container('ai-fabric-qwen').state).toBe('exited');
    await eventually(
      'the host is away',
      async () => (await fabric.api<{ presence: string }>('/hosts/armitage')).presence !== 'online',
      60_000,
    );
  });
});

/** The engine's socket lies where no engine puts its own. */
function nameEngine(root: string): void {
  mkdirSync(join(root, DROP_IN), { recursive: true });
  writeFileSync(
    join(root, DROP_IN, 'test.conf'),
    '[Service]\nEnvironment=AI_FABRIC_AGENT_CONTAINER_ENGINE=unix:///srv/engine/docker.sock\n',
  );
}
