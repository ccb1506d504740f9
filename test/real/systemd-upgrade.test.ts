import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, cpSync, mkdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { changeByte } from '../harness/change-byte.js';
import { PackagedAhead, type PackagedRelease, packagedReleasePart } from '../harness/packaged-release.js';
import { describeReal } from '../harness/real-part.js';
import { makeLinuxRelease, serveRelease } from '../harness/remake-release.js';
import type { SystemdMachine } from '../harness/systemd-machine.js';
import { systemd } from '../harness/systemd-root.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';
import { InstalledAgent, UPGRADE_MS } from './systemd/installed-agent.js';
import { differingPaths, listMachineFiles } from './systemd/machine-files.js';
import { standInProgram } from './systemd/serve-stand-in.js';
import { makeStandInRelease, STAND_IN } from './systemd/stand-in-release.js';

const FABRIC = `
version: 1
hosts:
  armitage: { mayBeAway: true }
`;
const UNIT = 'ai-fabric-agent.service';
const HELPER = 'ai-fabric-agent-helper@upgrade.service';
const STATE = '/var/lib/ai-fabric-agent';
const STAGED = `${STATE}/upgrade`;
const ARCHIVE = 'ai-fabric-agent-linux-x64.gz';
/** What somebody brings to the machine. */
const BROUGHT = `${STAND_IN}/brought`;
const NOT_OURS = 'The release is refused: its signature is not by the release key of this program.';
/** The first of all makes its Debian. */
const FIRST_BOOT_MS = 600_000;
const SOON_MS = 30_000;

const packaged = new PackagedAhead({ only: 'agent-linux' }, { only: 'agent-linux', version: '0.2.0' });

/**
 * Releases are signed. The first two are the executable as it is released; the last two, to which that one is upgraded, are
 * stand-ins, which have the same key built in.
 */
describeReal(
  'an upgrade of an agent that is a service',
  [packagedReleasePart, systemd],
  () => {
    let home: TemporaryDirectory;
    let first: PackagedRelease;
    let newer: PackagedRelease;
    let fabric: BootedControlPlane;
    let agent: InstalledAgent;
    let machine: SystemdMachine;
    let before: ReadonlySet<string>;

    const at = (name: string): string => join(home.path, name);
    const serve = (release: string): void => serveRelease(release, at('served'));
    const serveStandIn = (version: string): void => {
      const program = standInProgram(home.path, version, first.releaseKeyPem);
      makeLinuxRelease(at('stand-in'), first, { version, program });
      serve(at('stand-in'));
    };

    beforeAll(async () => {
      home = temporaryDirectory();
      [first, newer] = [packaged.release(), packaged.release(1)];
      const runtime = makeStandInRelease(home.path);
      mkdirSync(at('brought'));
      serve(newer.folder);
      fabric = await BootedControlPlane.boot({ fabric: FABRIC, config: { releaseDirectory: at('served') } });
      const binds = [...runtime, { from: at('brought'), to: BROUGHT }];
      agent = await InstalledAgent.boot(first, fabric, binds);
      machine = agent.machine;
      before = await listMachineFiles(machine);
      const installed = await agent.install(fabric.tlsUrl);
      expect(installed.exitCode, installed.stdout + installed.stderr).toBe(0);
      expect(installed.stdout).not.toContain('development build');
    }, FIRST_BOOT_MS);

    afterAll(async () => {
      await agent?.machine.close();
      await fabric?.close();
      home?.remove();
    }, UPGRADE_MS);

    const untilNothingStaged = (): Promise<void> =>
      eventually(
        'nothing is staged',
        async () => (await machine.must(['find', STATE, '-path', `${STAGED}/*`])) === '',
        SOON_MS,
      );
    /** As somebody does who took the agent over: its rights, its folder, and the unit that it may start. */
    const askRootToTakeIn = async (files: Readonly<Record<string, string>>): Promise<string> => {
      for (const [name, from] of Object.entries(files)) cpSync(from, join(at('brought'), name));
      const user = 'ai-fabric-agent';
      const bring = `rm -rf ${STAGED} && mkdir -m 700 ${STAGED} && cp ${BROUGHT}/* ${STAGED}`;
      await machine.must(['sh', '-c', bring], { user });
      const asked = await machine.run(['systemctl', 'start', HELPER], { user });
      expect(asked.exitCode).not.toBe(0);
      await machine.must(['rm', '-r', STAGED], { user });
      const answer = await machine.must(['cat', '/run/ai-fabric-agent/upgrade.json']);
      return (JSON.parse(answer) as { detail: string }).detail;
    };
    const filesOf = (folder: string, program: string): Readonly<Record<string, string>> => ({
      'manifest.json': join(folder, 'manifest.json'),
      'manifest.sig': join(folder, 'manifest.sig'),
      'ai-fabric-agent': program,
    });

    it('waits for the owner: it is shown, and root does nothing that the agent alone asks for', async () => {
      await agent.untilOnline('0.1.0');
      const stood = await agent.standing();
      expect(await agent.offer()).toMatchObject({ answer: 'done' });
      await agent.untilHost('says what is offered', ({ upgrade }) => upgrade?.phase === 'offered');
      expect((await agent.say('status')).stdout).toContain('upgrade:  to 0.2.0, offered');
      const said = await askRootToTakeIn(filesOf(newer.folder, newer.linuxAgent()));
      expect(said).toContain('The owner of this host has not said yes to this release');
      expect(await agent.standing()).toBe(stood);
    });

    it(
      'to a release that another key signed is refused, whatever its owner says: by the agent, and by root',
      async () => {
        const { privateKey: key } = generateKeyPairSync('ed25519');
        makeLinuxRelease(at('forged'), first, { version: '0.2.0', program: '#!/bin/sh\n', key });
        serve(at('forged'));
        const stood = await agent.standing();
        await agent.untilOffered();
        const { exitCode, version, upgrade } = await agent.sayYes();
        expect([exitCode, version, upgrade]).toEqual([
          1,
          '0.1.0',
          { phase: 'failed', version: '0.2.0', detail: NOT_OURS, manifestSha256: expect.any(String) },
        ]);
        await agent.untilHost('says that it failed', (host) => host.upgrade?.phase === 'failed');
        expect((await agent.say('status')).stdout).toContain(`upgrade:  to 0.2.0, failed: ${NOT_OURS}`);
        await untilNothingStaged();
        expect(await askRootToTakeIn(filesOf(at('forged'), newer.linuxAgent()))).toBe(NOT_OURS);
        expect(await agent.standing()).toBe(stood);
        await agent.untilOnline('0.1.0');
      },
      UPGRADE_MS,
    );

    it(
      'to one whose program was tampered with after it was signed is refused: by the agent, and by root',
      async () => {
        serve(newer.folder);
        await tamperUnseen(fabric, at('served'));
        const stood = await agent.standing();
        await agent.untilOffered();
        const { exitCode, version, upgrade } = await agent.sayYes();
        expect([exitCode, version, upgrade.phase]).toEqual([1, '0.1.0', 'failed']);
        expect(upgrade.detail).toMatch(
          /^What came is not the release: ai-fabric-agent-linux-x64.gz has the SHA-256/,
        );
        await untilNothingStaged();
        cpSync(newer.linuxAgent(), at('tampered'));
        changeByte(at('tampered'));
        const said = await askRootToTakeIn(filesOf(newer.folder, at('tampered')));
        expect(said).toMatch(/^What is staged is not the release: ai-fabric-agent has the SHA-256/);
        expect(await agent.standing()).toBe(stood);
        await agent.untilOnline('0.1.0');
      },
      UPGRADE_MS,
    );

    it(
      'is put in place when the owner says yes, and the agent is linked again',
      async () => {
        serve(newer.folder);
        await agent.untilOffered();
        const { exitCode, upgrade } = await agent.sayYes();
        const detail = 'It took the place of 0.1.0.';
        expect([exitCode, upgrade]).toMatchObject([0, { phase: 'done', version: '0.2.0', detail }]);
        expect(await agent.current()).toContain('/versions/0.2.0-');
        await agent.untilOnline('0.2.0');
        await agent.untilHost('says that it is done', (host) => host.upgrade?.phase === 'done');
        // Its replicas are the next one's: nobody puts others in their place.
        expect(await machine.journal(UNIT)).toContain('"reason":"restart"');
        await agent.untilRests();
        const unit = await machine.run(['systemctl', 'cat', 'ai-fabric-agent-upgrade.service']);
        expect(unit.exitCode).not.toBe(0);
        expect((await agent.say('--version')).stdout).toMatch(
          /^ai-fabric-agent 0\.2\.0 .*release build: signed\)$/m,
        );
        await untilNothingStaged();
        expect((await agent.sayYes()).exitCode).toBe(0);
      },
      UPGRADE_MS,
    );

    it(
      'to a version that does not run is taken back by itself, and said so',
      async () => {
        makeLinuxRelease(at('ends'), first, { version: '0.3.0', program: '#!/bin/sh\nexit 3\n' });
        serve(at('ends'));
        await agent.untilOffered();
        const { exitCode, version, upgrade } = await agent.sayYes();
        expect([exitCode, version, upgrade]).toMatchObject([
          1,
          '0.2.0',
          { phase: 'rolled_back', version: '0.3.0' },
        ]);
        expect(upgrade.detail).toContain('it ended');
        await agent.untilOnline('0.2.0');
        await agent.untilHost(
          'says that it was rolled back',
          (host) => host.upgrade?.phase === 'rolled_back',
        );
        await agent.untilRests();
        expect(await machine.must(['ls', '/opt/ai-fabric-agent/versions'])).not.toContain('0.3.0');
        await untilNothingStaged();
      },
      UPGRADE_MS,
    );

    it(
      'is brought to its end after a power cut in the middle',
      async () => {
        serveStandIn('0.4.0');
        await agent.untilOffered();
        const saying = agent.say('upgrade', '--yes').catch(() => null);
        await agent.untilUnderWay('0.4.0');
        await machine.cutPower();
        await saying;
        await machine.boot();
        await agent.untilOnline('0.4.0');
        await agent.untilHost('says that it is done', (host) => host.upgrade?.phase === 'done');
        await agent.untilRests();
        expect(await agent.current()).toContain('/versions/0.4.0-');
      },
      UPGRADE_MS * 2,
    );

    it(
      'is done by itself where its owner wants that',
      async () => {
        appendFileSync(join(machine.root, 'etc/ai-fabric-agent/agent.yaml'), 'upgrades: auto\n');
        await machine.must(['systemctl', 'restart', UNIT]);
        await agent.untilOnline('0.4.0');
        serveStandIn('0.5.0');
        await agent.untilOffered();
        await agent.untilOnline('0.5.0');
        await agent.untilRests();
      },
      UPGRADE_MS,
    );

    it(
      'leaves nothing behind when the agent is purged',
      async () => {
        const gone = await agent.say('uninstall', '--purge', '--yes', '--json');
        expect(gone.exitCode, gone.stdout + gone.stderr).toBe(0);
        const left = differingPaths(before, await listMachineFiles(machine));
        expect(left.filter((path) => path.includes('ai-fabric'))).toEqual([]);
      },
      UPGRADE_MS,
    );
  },
  packaged,
);

/** The control plane has hashed the archive, and sees by its time and size that it is the same. */
async function tamperUnseen({ url }: BootedControlPlane, served: string): Promise<void> {
  const archive = join(served, ARCHIVE);
  const made = new Date('2026-01-01T00:00:00Z');
  utimesSync(archive, made, made);
  expect((await fetch(`${url}/install/${ARCHIVE}`, { method: 'HEAD' })).status).toBe(200);
  changeByte(archive);
  utimesSync(archive, made, made);
}
