import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { describeReal } from '../harness/real-part.js';
import { runCli } from '../harness/run-program.js';
import { type RunResult, SystemdMachine } from '../harness/systemd-machine.js';
import { debianWith, systemd } from '../harness/systemd-root.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import type { ToldCheck } from '../harness/told-check.js';
import { eventually } from '../simulators/common/eventually.js';
import { SAMPLE_CARDS } from '../simulators/nvidia-smi/scenario.js';
import { makeVllmArchive, VLLM_ENTRYPOINT } from './podman/vllm-image.js';
import { typeCommand } from './systemd/control-plane-machine.js';
import { leftBehind, listMachineFiles } from './systemd/machine-files.js';
import { ownPodman, ROOTLESS_PACKAGES, settleRootlessPodman } from './systemd/rootless-podman.js';
import { installCard } from './systemd/simulated-card.js';
import { makeStandInRelease, STAND_IN } from './systemd/stand-in-release.js';

const IMAGE = 'docker.io/vllm/vllm-openai:v0.32.0';
const CARD = { ...SAMPLE_CARDS.rtx4070, vramUsedMib: 500 };
const PROGRAM = `${STAND_IN}/release/ai-fabric-agent`;
const ACCOUNT = 'ai-fabric-agent';
const STORAGE = '/var/lib/ai-fabric-agent/.local/share/containers';
const BOOT_MS = 240_000;

/** The card is simulated; systemd, Podman, its containers and the agent with its rights are real. */
describeReal('the agent with a Podman of its own user', [systemd, debianWith(ROOTLESS_PACKAGES)], () => {
  let home: TemporaryDirectory;
  let fabric: BootedControlPlane;
  let machine: SystemdMachine;
  let before: ReadonlySet<string>;

  beforeAll(async () => {
    home = temporaryDirectory();
    fabric = await BootedControlPlane.boot({
      fabric: fabricYaml({ hosts: { armitage: { mayBeAway: true } } }),
    });
    const images = join(home.path, 'images');
    mkdirSync(images, { mode: 0o755 });
    await makeVllmArchive(join(images, 'vllm.tar'));
    machine = await SystemdMachine.create({
      ...{ hostName: 'armitage', packages: ROOTLESS_PACKAGES },
      binds: [...makeStandInRelease(home.path), { from: images, to: '/srv/images' }],
    });
    settleRootlessPodman(machine.root, CARD);
    await installCard(home.path, machine.root, CARD);
    await machine.boot();
    before = await listMachineFiles(machine);
  }, 960_000);

  afterAll(async () => {
    await machine?.close();
    await fabric?.close();
    home?.remove();
  }, BOOT_MS);

  const agent = (args: readonly string[], input?: string): Promise<RunResult> =>
    machine.run([PROGRAM, ...args], input === undefined ? {} : { input });
  const tryInstall = async (access: string): Promise<RunResult> =>
    agent(
      [
        ...['install', '--json', '--release', `${STAND_IN}/release`, '--podman-socket', access],
        ...['--server', fabric.tlsUrl, '--token-file', '-'],
      ],
      `${await fabric.joinToken('armitage')}\n`,
    );
  const install = async (access = 'rootless'): Promise<Readonly<Record<string, ToldCheck>>> => {
    const installed = await tryInstall(access);
    expect(installed.exitCode, installed.stdout + installed.stderr).toBe(0);
    return checksOf(installed);
  };
  const podman = async (...args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await ownPodman(machine, ...args);
    expect(exitCode, stdout + stderr).toBe(0);
    return stdout;
  };
  const ok = async (...args: readonly string[]): Promise<void> => {
    const result = await runCli([...args, '--data', fabric.dataDirectory]);
    expect(result.exitCode, `${args.join(' ')}\n${result.stdout}\n${result.stderr}`).toBe(0);
  };
  const uid = async (): Promise<string> => (await machine.must(['id', '-u', ACCOUNT])).trim();

  it('is refused where a part of Podman is missing, with what brings it', async () => {
    await machine.must(['mv', '/usr/bin/newuidmap', '/root/newuidmap']);
    const refused = await tryInstall('rootless');
    await machine.must(['mv', '/root/newuidmap', '/usr/bin/newuidmap']);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'rootless_incomplete' } });
    expect(refused.stdout).toContain('sudo apt-get install uidmap,');
  });

  it('has its own Podman on the checklist of the install', async () => {
    const checks = await install();
    expect(checks['container_engine']).toMatchObject({
      state: 'green',
      says: expect.stringMatching(/^Podman [\d.]+, rootless$/),
    });
    expect(checks['linked']?.state).toBe('green');
    expect(checks['cdi']?.state).toBe('green');
  });

  it('has ids of its own, runs without a session, and its socket is nobody else’s', async () => {
    for (const file of ['/etc/subuid', '/etc/subgid']) {
      expect(machine.read(file)).toMatch(/^ai-fabric-agent:\d+:65536$/m);
    }
    expect((await machine.must(['loginctl', 'show-user', '--property=Linger', ACCOUNT])).trim()).toBe(
      'Linger=yes',
    );
    const mayUse = async (socket: string, user: string): Promise<boolean> =>
      (await machine.run(['test', '-w', socket], { user })).exitCode === 0;
    const own = `/run/user/${await uid()}/podman/podman.sock`;
    expect([await mayUse(own, ACCOUNT), await mayUse(own, 'nobody')]).toEqual([true, false]);
    expect(await mayUse('/run/podman/podman.sock', ACCOUNT)).toBe(false);
  });

  it('is exposed no more than systemd calls good', async () => {
    const judged = await machine.must(['systemd-analyze', 'security', '--no-pager', `${ACCOUNT}.service`]);
    const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(judged)?.[1]);
    expect(exposure, judged).toBeLessThanOrEqual(3);
  });

  it('has a model that sees its card and answers, from a container that is not root', async () => {
    const entrypoint = `ENTRYPOINT ${JSON.stringify(VLLM_ENTRYPOINT)}`;
    await podman('import', '--quiet', '--change', entrypoint, '/srv/images/vllm.tar', IMAGE);
    await ok(
      ...['deployments', 'create', 'qwen', '--host', 'armitage', '--task', 'chat', '--image', IMAGE],
      ...['--model', 'Qwen/Qwen2.5-1.5B-Instruct', '--context', '4096'],
    );
    await ok('deployments', 'wait', 'qwen', '--timeout', '90s');
    await expectAnswer();
    const pid = (await podman('inspect', '--format', '{{.State.Pid}}', 'ai-fabric-qwen')).trim();
    expect(await machine.must(['cat', `/proc/${pid}/status`])).toMatch(
      new RegExp(`^Uid:\\t${await uid()}\\t`, 'm'),
    );
    expect((await doctor())['gpu_in_container']).toMatchObject({ state: 'green' });
  });

  it(
    'serves again after the machine was restarted, with nobody signed in',
    async () => {
      await machine.reboot();
      // What was seen of it before says that it is ready.
      await eventually('it answers', async () => (await ask()).status === 200, 120_000);
    },
    BOOT_MS,
  );

  it('serves again after all that its user ran was ended, by what the checklist says', async () => {
    await machine.must(['loginctl', 'terminate-user', ACCOUNT]);
    await eventually('it is away', async () => (await ask()).status !== 200, 60_000);
    const { fix } = await untilEngineIs('red');
    expect(await typeCommand(machine, fix ?? 'there is none')).toMatchObject({ exitCode: 0 });
    await eventually('it answers', async () => (await ask()).status === 200, 120_000);
  });

  it('gives way to root’s Podman where that is asked for, with all that runs, and comes back', async () => {
    const ofRoot = await install('group');
    expect(ofRoot['container_engine']).toMatchObject({
      state: 'green',
      says: expect.stringMatching(/^Podman [\d.]+$/),
    });
    expect((await machine.run(['pgrep', '--uid', ACCOUNT, 'conmon'])).stdout).toBe('');
    expect(await machine.must(['ls', '/var/lib/systemd/linger'])).toBe('');

    const own = await install();
    expect(own['container_engine']?.says).toContain('rootless');
    await ok('deployments', 'wait', 'qwen', '--timeout', '120s');
  });

  it('says at its removal what stays in its Podman, with the command that removes it', async () => {
    const gone = await agent(['uninstall', '--yes', '--json']);
    expect(gone.exitCode, gone.stdout + gone.stderr).toBe(0);
    const { stays } = JSON.parse(gone.stdout) as { stays: string[] };
    const told = stays.find((line) => line.includes(STORAGE)) ?? '';
    expect(told).toContain('1 container, stopped, 2 volumes with models');
    expect((await machine.run(['pgrep', '--uid', ACCOUNT, '--list-full'])).stdout).toBe('');

    await machine.must(['cp', '--archive', STORAGE, '/var/lib/kept']);
    await machine.must((/: sudo (rm .*)$/.exec(told)?.[1] ?? '').split(' '));
    expect((await machine.run(['test', '-e', STORAGE])).exitCode).toBe(1);
    // What was in it can be had from nowhere here.
    await machine.must(['mv', '/var/lib/kept', STORAGE]);
  });

  it('is there again where it is installed again', async () => {
    await install();
    await ok('deployments', 'wait', 'qwen', '--timeout', '120s');
  });

  it('is not purged with its models in it, unless that is said', async () => {
    const refused = await agent(['uninstall', '--purge', '--yes', '--json']);
    expect(refused.exitCode).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'models_within' } });
    await expectAnswer();
  });

  it('leaves nothing when it is purged with its models, though a container takes its time to end', async () => {
    const slowly =
      'process.on("SIGTERM", () => setTimeout(() => process.exit(0), 6_000)); setInterval(() => {}, 1e6)';
    const [node = ''] = VLLM_ENTRYPOINT;
    await machine.must(['systemctl', 'stop', `${ACCOUNT}.service`]);
    await podman('run', '--detach', '--name', 'slow', `--entrypoint=${node}`, IMAGE, '-e', slowly);
    expect((await podman('ps', '--format', '{{.Names}}')).split('\n').sort()).toEqual([
      '',
      'ai-fabric-qwen',
      'slow',
    ]);
    const runtime = `/run/user/${await uid()}`;

    const gone = await agent(['uninstall', '--purge', '--with-models', '--yes', '--json']);

    expect(gone.exitCode, gone.stdout + gone.stderr).toBe(0);
    const left = leftBehind(before, await listMachineFiles(machine));
    // Root's own Podman writes there when it is asked whether it holds something.
    expect(left.filter((path) => !path.startsWith('/var/lib/containers/'))).toEqual([]);
    expect((await machine.run(['test', '-e', runtime])).exitCode).toBe(1);
    expect(await machine.must(['ls', '/var/lib/systemd/linger'])).toBe('');
  });

  async function expectAnswer(): Promise<void> {
    const role = { task: 'chat', targets: [{ deployment: 'qwen' }] };
    await fabric.api('/roles/chat-fast', { method: 'PUT', body: role });
    const answer = await ask();
    expect(answer.status, await answer.text()).toBe(200);
  }

  function ask(): Promise<Response> {
    const messages = [{ role: 'user', content: 'Hello' }];
    return fabric.post('/v1/chat/completions', { model: 'chat-fast', messages, max_tokens: 5 });
  }

  async function untilEngineIs(state: string): Promise<ToldCheck> {
    let engine: ToldCheck | undefined;
    await eventually(
      `the engine is ${state}`,
      async () => {
        engine = (await doctor())['container_engine'];
        return engine?.state === state;
      },
      90_000,
    );
    if (engine === undefined) throw new Error('the checklist has no container engine');
    return engine;
  }

  async function doctor(): Promise<Readonly<Record<string, ToldCheck>>> {
    return checksOf(await agent(['doctor', '--json']));
  }
});

function checksOf({ stdout }: RunResult): Readonly<Record<string, ToldCheck>> {
  const { checks } = JSON.parse(stdout) as { checks: ToldCheck[] };
  return Object.fromEntries(checks.map((check) => [check.id, check]));
}
