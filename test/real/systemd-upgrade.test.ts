import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { describeReal } from '../harness/real-part.js';
import { type RunResult, SystemdMachine } from '../harness/systemd-machine.js';
import { systemd } from '../harness/systemd-root.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';
import { differingPaths, listMachineFiles } from './systemd/machine-files.js';
import { serveRelease } from './systemd/served-release.js';
import { makeStandInRelease, STAND_IN } from './systemd/stand-in-release.js';

const FABRIC = `
version: 1
hosts:
  armitage: { mayBeAway: true }
`;
const AGENT = '/usr/local/bin/ai-fabric-agent';
const UNIT = 'ai-fabric-agent.service';
const RECORD = 'opt/ai-fabric-agent/upgrade.json';
/** The first of all makes its Debian. */
const FIRST_BOOT_MS = 600_000;
const UPGRADE_MS = 240_000;

interface Told {
  readonly phase: string;
  readonly version: string;
  readonly detail: string | null;
}
interface Host {
  readonly presence: string;
  readonly agentVersion: string | null;
  readonly upgrade: Told | null;
}

describeReal('an upgrade of an agent that is a service', [systemd], () => {
  let home: TemporaryDirectory;
  let fabric: BootedControlPlane;
  let machine: SystemdMachine;
  let before: ReadonlySet<string>;

  const serve = (version: string, behaviour?: 'works' | 'ends'): void =>
    serveRelease(home.path, join(home.path, 'served'), version, behaviour);

  beforeAll(async () => {
    home = temporaryDirectory();
    const binds = makeStandInRelease(home.path);
    serve('0.2.0');
    fabric = await BootedControlPlane.boot({
      fabric: FABRIC,
      config: { releaseDirectory: join(home.path, 'served') },
    });
    machine = await SystemdMachine.create({ hostName: 'armitage', binds });
    await machine.boot();
    before = await listMachineFiles(machine);
    const installed = await machine.run(
      [
        ...[`${STAND_IN}/release/ai-fabric-agent`, 'install', '--json', '--release', `${STAND_IN}/release`],
        ...['--podman-socket', 'none', '--server', fabric.tlsUrl, '--token-file', '-'],
      ],
      { input: `${await fabric.joinToken('armitage')}\n` },
    );
    expect(installed.exitCode, installed.stdout + installed.stderr).toBe(0);
  }, FIRST_BOOT_MS);

  afterAll(async () => {
    await machine?.close();
    await fabric?.close();
    home?.remove();
  }, UPGRADE_MS);

  const look = (): Promise<Host> => fabric.api<Host>('/hosts/armitage');
  const untilHost = (what: string, holds: (host: Host) => boolean): Promise<void> =>
    eventually(`armitage ${what}`, async () => holds(await look()), UPGRADE_MS);
  const offer = (): Promise<{ answer: string; code: string | null }> =>
    fabric.api('/hosts/armitage/offer-upgrade', { method: 'POST' });
  /** A release that was just put there is hashed before it is offered. */
  const untilOffered = (): Promise<void> =>
    eventually('it takes the offer', async () => (await offer()).answer === 'done', UPGRADE_MS);
  const say = (...args: readonly string[]): Promise<RunResult> =>
    machine.run([AGENT, ...args], { timeoutMs: UPGRADE_MS });
  const yes = async (): Promise<{ exitCode: number | null; version: string; upgrade: Told }> => {
    const { exitCode, stdout } = await say('upgrade', '--yes', '--json');
    return { exitCode, ...(JSON.parse(stdout) as { version: string; upgrade: Told }) };
  };
  const current = async (): Promise<string> =>
    (await machine.must(['readlink', '/opt/ai-fabric-agent/current'])).trim();
  const untilOnline = (version: string): Promise<void> =>
    untilHost(
      `is online with ${version}`,
      ({ presence, agentVersion }) => presence === 'online' && agentVersion === version,
    );
  const untilRests = (): Promise<void> =>
    eventually(
      'nothing of the upgrade is under way',
      async () =>
        (await machine.run(['systemctl', 'is-active', 'ai-fabric-agent-upgrade.service'])).exitCode !== 0,
      UPGRADE_MS,
    );

  it('waits for the owner: it is shown, and root does nothing that the agent alone asks for', async () => {
    await untilOnline('0.1.0');
    expect(await offer()).toMatchObject({ answer: 'done' });
    await untilHost('says what is offered', ({ upgrade }) => upgrade?.phase === 'offered');
    expect((await say('status')).stdout).toContain('upgrade:  to 0.2.0, offered');
    const asked = await machine.run(['systemctl', 'start', 'ai-fabric-agent-helper@upgrade.service'], {
      user: 'ai-fabric-agent',
    });
    expect(asked.exitCode).not.toBe(0);
    expect(await current()).toContain('/versions/0.1.0-');
  });

  it(
    'is put in place when the owner says yes, and the agent is linked again',
    async () => {
      const { exitCode, upgrade } = await yes();
      expect([exitCode, upgrade]).toMatchObject([0, { phase: 'done', version: '0.2.0' }]);
      expect(await current()).toContain('/versions/0.2.0-');
      await untilOnline('0.2.0');
      await untilHost('says that it is done', (host) => host.upgrade?.phase === 'done');
      // Its replicas are the next one's: nobody puts others in their place.
      expect(await machine.journal(UNIT)).toContain('"reason":"restart"');
      await untilRests();
      expect((await machine.run(['systemctl', 'cat', 'ai-fabric-agent-upgrade.service'])).exitCode).not.toBe(
        0,
      );
      expect((await yes()).exitCode).toBe(0);
    },
    UPGRADE_MS,
  );

  it(
    'to a version that does not run is taken back by itself, and said so',
    async () => {
      serve('0.3.0', 'ends');
      await untilOffered();
      const { exitCode, version, upgrade } = await yes();
      expect([exitCode, version, upgrade]).toMatchObject([
        1,
        '0.2.0',
        { phase: 'rolled_back', version: '0.3.0' },
      ]);
      expect(upgrade.detail).toContain('it ended');
      await untilOnline('0.2.0');
      await untilHost('says that it was rolled back', (host) => host.upgrade?.phase === 'rolled_back');
      await untilRests();
      expect(await machine.must(['ls', '/opt/ai-fabric-agent/versions'])).not.toContain('0.3.0');
    },
    UPGRADE_MS,
  );

  it(
    'is brought to its end after a power cut in the middle',
    async () => {
      serve('0.4.0');
      await untilOffered();
      const saying = say('upgrade', '--yes').catch(() => null);
      await eventually(
        'it is under way',
        () => {
          const { stage, to } = JSON.parse(machine.read(RECORD)) as {
            stage: string;
            to: { version: string };
          };
          return to.version === '0.4.0' && stage !== 'done';
        },
        UPGRADE_MS,
      );
      await machine.cutPower();
      await saying;
      await machine.boot();
      await untilOnline('0.4.0');
      await untilHost('says that it is done', (host) => host.upgrade?.phase === 'done');
      await untilRests();
      expect(await current()).toContain('/versions/0.4.0-');
    },
    UPGRADE_MS * 2,
  );

  it(
    'is done by itself where its owner wants that',
    async () => {
      appendFileSync(join(machine.root, 'etc/ai-fabric-agent/agent.yaml'), 'upgrades: auto\n');
      await machine.must(['systemctl', 'restart', UNIT]);
      await untilOnline('0.4.0');
      serve('0.5.0');
      await untilOffered();
      await untilOnline('0.5.0');
      await untilRests();
    },
    UPGRADE_MS,
  );

  it(
    'leaves nothing behind when the agent is purged',
    async () => {
      const gone = await say('uninstall', '--purge', '--yes', '--json');
      expect(gone.exitCode, gone.stdout + gone.stderr).toBe(0);
      const left = differingPaths(before, await listMachineFiles(machine));
      expect(left.filter((path) => path.includes('ai-fabric'))).toEqual([]);
    },
    UPGRADE_MS,
  );
});
