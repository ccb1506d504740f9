import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { readStream } from '../harness/read-stream.js';
import { describeReal, wine } from '../harness/real-part.js';
import { runCli } from '../harness/run-program.js';
import { eventually } from '../simulators/common/eventually.js';
import { nvidiaSmiScenario, SAMPLE_CARDS } from '../simulators/nvidia-smi/scenario.js';
import { windowsNode, windowsNodePath } from './windows/windows-node.js';
import { WinePrefix, type WineProgram } from './windows/wine-prefix.js';

/** As it ships: it needs no folder of packages beside it. */
const AGENT = join(import.meta.dirname, '..', '..', 'agent', 'dist', 'program');
const STATE = 'C:\\ProgramData\\AI Fabric\\agent';
/** With nothing on it. */
const CARD = { ...SAMPLE_CARDS.rtx4070, vramUsedMib: 500 };
const IMAGE = 'docker.io/vllm/vllm-openai:v0.32.0';

interface Shown {
  readonly observed: {
    readonly status: { readonly container: { readonly id: string; readonly startedAtMs: number } | null };
  } | null;
}

/** The agent, the pipe and the engine behind it are programs of Windows, as Wine runs them; the control plane is not. */
describeReal('a model that is declared on a Windows host', [wine, windowsNode], () => {
  let prefix: WinePrefix;
  let fabric: BootedControlPlane;
  let agent: WineProgram;
  let engine: WineProgram;

  const runAgent = (...args: string[]): WineProgram =>
    prefix.node('C:\\agent\\main.js', args, {
      AI_FABRIC_AGENT_STATE: STATE,
      AI_FABRIC_AGENT_NAME: 'armitage',
      AI_FABRIC_AGENT_NVIDIA_SMI: 'C:\\driver\\nvidia-smi.cmd',
    });
  const ok = async (...args: readonly string[]): Promise<void> => {
    const result = await runCli([...args, '--data', fabric.dataDirectory]);
    expect(result.exitCode, `${args.join(' ')}\n${result.stdout}\n${result.stderr}\n${agent.output}`).toBe(0);
  };
  const chat = (more: object = {}): Promise<Response> =>
    fabric.post('/v1/chat/completions', {
      ...{ model: 'chat-fast', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4 },
      ...more,
    });
  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    try {
      await eventually(what, async () => !agent.running || (await holds()), 60_000);
      if (!agent.running) throw new Error('the agent ended');
    } catch (error) {
      throw new Error(`${String(error)}; the agent said:\n${agent.output.slice(-4_000)}`, { cause: error });
    }
  };

  beforeAll(async () => {
    prefix = new WinePrefix();
    fabric = await BootedControlPlane.boot({ fabric: fabricYaml({ hosts: { armitage: {} } }) });
    await bundlePrograms(prefix.drive);
    installCard(prefix.drive);
    cpSync(AGENT, join(prefix.drive, 'agent'), { recursive: true });
    writeFileSync(join(prefix.drive, 'agent', 'package.json'), '{ "type": "module" }\n');
    writeFileSync(join(prefix.drive, 'join.token'), `${await fabric.joinToken('armitage')}\r\n`);
    const joining = runAgent('join', '--server', fabric.tlsUrl, '--token-file', 'C:\\join.token');
    expect(await joining.exited(), joining.output).toBe(0);
    agent = runAgent('run');
  });

  afterAll(async () => {
    await prefix?.close();
    await fabric?.close();
  });

  it('waits for somebody to sign in while Docker Desktop is not there', async () => {
    await ok(
      ...['deployments', 'create', 'qwen', '--host', 'armitage', '--task', 'chat', '--image', IMAGE],
      ...['--model', 'Qwen/Qwen2.5-1.5B-Instruct', '--context', '4096'],
    );
    await until('it is told', async () => {
      const { issues } = await fabric.api<{ issues: { code: string }[] }>('/hosts/armitage');
      return issues.some(({ code }) => code === 'sign_in_needed');
    });
  });

  it('is pulled, made with the card and proven once it is there, and answers through /v1 by the tunnel', async () => {
    engine = prefix.node('C:\\pipe-engine.mjs', [CARD.uuid], {});
    await ok('deployments', 'wait', 'qwen', '--timeout', '90s');
    const role = { task: 'chat', targets: [{ deployment: 'qwen' }] };
    await fabric.api('/roles/chat-fast', { method: 'PUT', body: role });
    const answer = await chat();
    expect(answer.status, await answer.clone().text()).toBe(200);
    expect(answer.headers.get('x-fabric-replica')).toBe('qwen');
    expect(answer.headers.get('x-fabric-host')).toBe('armitage');
    const stream = await readStream(await chat({ stream: true, max_tokens: 40 }));
    expect(stream).toMatchObject({ done: true, errorCode: null });
    expect(stream.content).not.toBe('');
  });

  it('is recognised and left running by an agent that starts anew', async () => {
    const container = async () => (await fabric.api<Shown>('/deployments/qwen')).observed?.status.container;
    const before = await container();
    expect(before?.startedAtMs).toBeGreaterThan(0);
    const toldBefore = engine.output.length;
    agent.interrupt();
    expect(await agent.exited(), agent.output).toBe(0);
    agent = runAgent('run');
    await until('it answers again', async () => (await chat()).status === 200);
    expect(await container()).toEqual(before);
    const told = engine.output.slice(toldBefore).trim().split('\n');
    expect(told.filter((line) => line !== '' && !line.includes('ai-fabric-qwen'))).toEqual([]);
  });

  it('that is removed leaves no container', async () => {
    expect(engine.output.trim().split('\n').at(-1)).toBe('containers: ai-fabric-qwen');
    await fabric.api('/roles/chat-fast', { method: 'DELETE' });
    await ok('deployments', 'rm', 'qwen');
    await until('it is gone', async () => engine.output.trim().split('\n').at(-1) === 'containers: none');
  });
});

/** Docker Desktop's engine and the driver's tool, as programs that need nothing beside them. */
async function bundlePrograms(drive: string): Promise<void> {
  const here = import.meta.dirname;
  await build({
    entryPoints: [
      { in: join(here, 'windows', 'pipe-engine-program.ts'), out: 'pipe-engine' },
      { in: join(here, '..', 'simulators', 'nvidia-smi', 'program.ts'), out: 'nvidia-smi' },
    ],
    outdir: drive,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
  });
}

/**
 * A simulated card. The agent reads of it what it is; what it does it cannot read, since Node starts no script of
 * Windows without a shell.
 */
function installCard(drive: string): void {
  mkdirSync(join(drive, 'driver'));
  const scenario = nvidiaSmiScenario({ platform: 'windows', cards: [CARD] });
  writeFileSync(join(drive, 'driver', 'scenario.json'), JSON.stringify(scenario));
  // Wine shows this machine's root as Z:.
  const node = `Z:${windowsNodePath.replaceAll('/', '\\')}`;
  const launcher = `@"${node}" "C:\\nvidia-smi.mjs" "C:\\driver\\scenario.json" %*\r\n`;
  writeFileSync(join(drive, 'driver', 'nvidia-smi.cmd'), launcher);
}
