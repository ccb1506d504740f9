import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { readStream } from '../harness/read-stream.js';
import { describeReal, wine } from '../harness/real-part.js';
import { runCli } from '../harness/run-program.js';
import { eventually } from '../simulators/common/eventually.js';
import { SAMPLE_CARDS } from '../simulators/nvidia-smi/scenario.js';
import { containersOf, IMAGE, NVIDIA_SMI, placeDesktop, startDesktop } from './windows/simulated-desktop.js';
import { windowsNode } from './windows/windows-node.js';
import { WinePrefix, type WineProgram } from './windows/wine-prefix.js';

/** As it ships: it needs no folder of packages beside it. */
const AGENT = join(import.meta.dirname, '..', '..', 'agent', 'dist', 'program');
const STATE = 'C:\\ProgramData\\AI Fabric\\agent';
/** With nothing on it. */
const CARD = { ...SAMPLE_CARDS.rtx4070, vramUsedMib: 500 };

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
      AI_FABRIC_AGENT_NVIDIA_SMI: NVIDIA_SMI,
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
    await placeDesktop(prefix.drive, CARD);
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
    engine = startDesktop(prefix, CARD.uuid);
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

  it('that is removed leaves no container', async () => {
    expect(containersOf(engine)).toBe('containers: ai-fabric-qwen (running)');
    await fabric.api('/roles/chat-fast', { method: 'DELETE' });
    await ok('deployments', 'rm', 'qwen');
    await until('it is gone', async () => containersOf(engine) === 'containers: none');
  });
});
