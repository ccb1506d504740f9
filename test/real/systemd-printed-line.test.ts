import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PackagedAhead, type PackagedRelease, packagedReleasePart } from '../harness/packaged-release.js';
import { describeReal } from '../harness/real-part.js';
import { type RunResult, SystemdMachine } from '../harness/systemd-machine.js';
import { systemd } from '../harness/systemd-root.js';
import { eventually } from '../simulators/common/eventually.js';
import { ControlPlaneMachine, typeCommand } from './systemd/control-plane-machine.js';
import { leftBehind, listMachineFiles } from './systemd/machine-files.js';

/** The machines have the network of the one that tests run on: ports that nobody else's tests use. */
const PORT = 18_441;
const TLS_PORT = 18_442;
const RELEASE = '/srv/release';
const CONTROL_PLANE = 'ai-fabric-control-plane-linux-x64.tar.gz';
const AGENT = '/usr/local/bin/ai-fabric-agent';
const UNIT = 'ai-fabric-agent.service';
/** Stands before the system's own in the PATH of whoever installs. */
const SLOW_USERADD = 'usr/local/sbin/useradd';
/** Of a release, by hand, in a machine. */
const UNPACKED = 'srv/unpacked';
/** Of Ed25519. */
const SIGNATURE_BYTES = 64;
/** The first of all makes its Debian. */
const FIRST_BOOT_MS = 600_000;
const STEP_MS = 240_000;
const LINKED_MS = 60_000;
/** The least that a token may live, and some. */
const EXPIRY_MS = 90_000;

interface Host {
  readonly hostId: string;
  readonly presence: string;
  readonly agentVersion: string;
}

const packaged = new PackagedAhead({});

/**
 * Nothing but what `npm run package` made, and the commands of docs/install.md: the control plane as the archive's script
 * installs it, the agent as the line that this control plane prints brings it to another machine.
 */
describeReal(
  'a fabric from a release, by the commands of the manual',
  [packagedReleasePart, systemd],
  () => {
    let release: PackagedRelease;
    let fabric: ControlPlaneMachine;
    let armitage: SystemdMachine;
    let before: ReadonlySet<string>;
    let line: string;
    let expiring: string;

    beforeAll(async () => {
      release = packaged.release();
      fabric = await ControlPlaneMachine.create(PORT, {
        ...{ hostName: 'motoko', binds: [{ from: release.folder, to: RELEASE }] },
      });
      armitage = await SystemdMachine.create({ hostName: 'armitage' });
      for (const machine of [fabric.machine, armitage]) {
        // As a network has it where machines know each other's names.
        writeFileSync(join(machine.root, 'etc/hosts'), '127.0.0.1 localhost motoko armitage\n');
        await machine.boot();
      }
      before = await listMachineFiles(armitage);
    }, FIRST_BOOT_MS);

    afterAll(async () => {
      await armitage?.close();
      await fabric?.machine.close();
    }, STEP_MS);

    /** As it is pasted: into a shell, whose command line shows nothing of it. */
    const paste = (pasted: string, machine = armitage): Promise<RunResult> =>
      machine.run(['bash'], { input: `${pasted}\n`, timeoutMs: STEP_MS });
    const type = (command: string): Promise<RunResult> => typeCommand(armitage, command);
    const host = (name = 'armitage'): Promise<Host> => fabric.api<Host>(`/hosts/${name}`);
    const untilOnline = (name = 'armitage'): Promise<void> =>
      eventually(`${name} is online`, async () => (await host(name)).presence === 'online', LINKED_MS);
    const mainPid = async (): Promise<number> =>
      Number((await armitage.must(['systemctl', 'show', '--value', '--property=MainPID', UNIT])).trim());
    const isLinked = async (): Promise<boolean> =>
      /^ *✓ linked +to https:\/\/motoko/m.test((await type('sudo ai-fabric-agent doctor')).stdout);

    it(
      'begins with the control plane, installed from its archive, which says what comes next',
      async () => {
        const command = 'sudo sh install-control-plane.sh ai-fabric-control-plane-linux-x64.tar.gz';
        const ports = `--port ${PORT} --tls-port ${TLS_PORT}`;
        // Whoever keeps all that they make to themselves installs for others all the same.
        const said = await fabric.type(`umask 077 && cd ${RELEASE} && ${command} ${ports}`, STEP_MS);
        expect(said).toContain(`AI Fabric ${release.manifest.version} is installed and answers.`);
        expect(said).toContain(`http://motoko:${PORT}/v1`);
        expect(said).toContain(`https://motoko:${TLS_PORT}`);
        expect(said).toContain('Next: sudo ai-fabric token create');
        expect(await fabric.type('ai-fabric --version')).toContain('release build: signed');
        expect(await fabric.type('sudo ai-fabric apply /etc/ai-fabric/fabric.yaml')).not.toContain('error');
        expect(await fabric.type('sudo ai-fabric doctor')).toContain('0 errors');
      },
      STEP_MS,
    );

    it('prints a line for each system, and serves what they fetch', async () => {
      expiring = await fabric.type('sudo ai-fabric token create --line linux --ttl 60s');
      const bound = 'sudo ai-fabric token create --host armitage --ttl 15m';
      for (const command of ['sudo ai-fabric token create', bound]) {
        const shown = await fabric.typeAtTerminal(command);
        line = /^Linux, as root or with sudo:\n(.+)$/m.exec(shown)?.[1] ?? '';
        expect(line).toContain(`'https://motoko:${TLS_PORT}/install/agent.sh'`);
        expect(shown).toMatch(/^Windows, in an elevated PowerShell:\n.+agent\.ps1/m);
      }
      const names = release.manifest.artefacts.filter(({ kind }) => kind === 'agent').map(({ name }) => name);
      for (const command of [
        'curl -k https://motoko:8443/install/',
        'curl -k https://motoko:8443/install/manifest.json',
      ]) {
        const shown = (await type(command.replace('8443', `${TLS_PORT}`))).stdout;
        for (const name of names) expect(shown).toContain(name);
      }
    });

    it.each<[string, (folder: string) => void]>([
      [
        'a manifest that somebody changed',
        (folder) =>
          edit(join(folder, 'manifest.json'), (text) =>
            text.replace(/"builtAt": *"2/, (found) => `${found}1`),
          ),
      ],
      [
        'the signature of somebody else',
        (folder) =>
          edit(join(folder, 'manifest.sig'), () => `${randomBytes(SIGNATURE_BYTES).toString('base64')}\n`),
      ],
      ['no signature', (folder) => rmSync(join(folder, 'manifest.sig'))],
      ['a program that somebody changed', (folder) => appendFileSync(join(folder, 'ai-fabric-agent'), '\n')],
    ])('installs nothing of a release with %s', async (_, spoil) => {
      const folder = join(armitage.root, UNPACKED);
      for (const name of ['manifest.json', 'manifest.sig'])
        cpSync(join(release.folder, name), join(folder, name));
      cpSync(release.linuxAgent(), join(folder, 'ai-fabric-agent'));
      spoil(folder);
      const refused = await armitage.run(
        [`/${UNPACKED}/ai-fabric-agent`, 'install', '--server', `https://motoko:${TLS_PORT}`, '--json'],
        { input: 'a token\n', timeoutMs: STEP_MS },
      );
      expect(refused.exitCode, refused.stdout + refused.stderr).toBe(1);
      expect(refused.stdout + refused.stderr).toContain(`The release in /${UNPACKED} is not taken: `);
      rmSync(folder, { recursive: true });
      expect(leftBehind(before, await listMachineFiles(armitage))).toEqual([]);
    });

    it(
      'is completed by the same line where the control plane died in the middle of the first',
      async () => {
        stopInTheMiddle(armitage.root);
        const pasted = paste(line);
        await eventually(
          'the install is under way',
          async () => (await armitage.run(['test', '-e', '/run/half-way'])).exitCode === 0,
          LINKED_MS,
        );
        await fabric.die();
        await armitage.must(['touch', '/run/go-on']);
        const dead = await pasted;
        expect(dead.exitCode, dead.stdout + dead.stderr).toBe(5);
        expect(dead.stderr).toContain('run the same again');
        await armitage.must(['rm', `/${SLOW_USERADD}`, '/run/half-way', '/run/go-on']);

        await fabric.comeBack();
        const { exitCode, stdout, stderr } = await paste(line);

        expect(exitCode, stdout + stderr).toBe(0);
        expect(stdout).toContain('✓ Start the agent, now and at every boot');
        expect(stdout).toMatch(new RegExp(`^ *✓ linked +to https://motoko:${TLS_PORT} as armitage$`, 'm'));
        expect(stdout).toMatch(/^ *✗ driver and cards .*\n *→ /m);
        expect(stdout).not.toContain('development build');
        expect(await host()).toMatchObject({ presence: 'online', agentVersion: release.manifest.version });
        expect(await fabric.type('sudo ai-fabric hosts')).toMatch(/^armitage +online/m);
      },
      STEP_MS,
    );

    it('leaves nothing of what it fetched', () => {
      for (const folder of ['tmp', 'var/tmp']) {
        const left = readdirSync(join(armitage.root, folder));
        expect(left.filter((name) => !name.startsWith('systemd-private'))).toEqual([]);
      }
    });

    it('runs the executable of the release, signed, on a machine without Node', async () => {
      expect((await type('ai-fabric-agent --version')).stdout).toContain('release build: signed');
      expect((await type('sudo ai-fabric-agent status')).stdout).toContain(`https://motoko:${TLS_PORT}`);
      expect((await type('command -v node')).exitCode).not.toBe(0);
    });

    it('gathers what helps into one archive, without the key of the host', async () => {
      const { exitCode, stdout, stderr } = await type(
        'sudo ai-fabric-agent support-bundle --out /root/b.tar.gz',
      );
      expect(exitCode, stdout + stderr).toBe(0);
      const names = await armitage.must(['tar', '-tzf', '/root/b.tar.gz']);
      const looked = [
        'manifest.json',
        'config/installed-agent.yaml',
        'records/installed.json',
        'logs/journal.txt',
      ];
      for (const name of looked) expect(names).toContain(name);
      const all = await armitage.must(['tar', '-xzOf', '/root/b.tar.gz']);
      expect(all).toContain(`https://motoko:${TLS_PORT}`);
      const [, key = ''] = (await armitage.must(['cat', '/etc/ai-fabric-agent/host-key.pem'])).split('\n');
      expect(key.length).toBeGreaterThan(20);
      expect(all).not.toContain(key);
      await armitage.must(['rm', '/root/b.tar.gz']);
    });

    it(
      'may be pasted again: nothing is asked anew, and the host keeps its identity',
      async () => {
        const { hostId } = await host();
        const { exitCode, stdout, stderr } = await paste(line);
        expect(exitCode, stdout + stderr).toBe(0);
        await untilOnline();
        expect((await host()).hostId).toBe(hostId);
      },
      STEP_MS,
    );

    it('is started again after it was killed', async () => {
      const killed = await mainPid();
      expect(killed).toBeGreaterThan(1);
      await armitage.must(['kill', '-9', String(killed)]);
      await eventually('another process runs', async () => ![0, killed].includes(await mainPid()), LINKED_MS);
      await eventually('it is linked', isLinked, LINKED_MS);
    });

    it(
      'is linked again after the machine restarted',
      async () => {
        await armitage.reboot();
        await eventually('it is linked', isLinked, LINKED_MS);
        await untilOnline();
      },
      STEP_MS,
    );

    it(
      'works on the machine of the control plane too',
      async () => {
        const own = await fabric.type('sudo ai-fabric token create --line linux');
        const { exitCode, stdout, stderr } = await paste(own, fabric.machine);
        expect(exitCode, stdout + stderr).toBe(0);
        await untilOnline('motoko');
      },
      STEP_MS,
    );

    it(
      'is taken away again, and nothing stays but what is documented',
      async () => {
        const tried = await type('sudo ai-fabric-agent uninstall --dry-run');
        expect(tried.stdout).toMatch(/^This is taken away.*:\n(?: {2}.+\n)+What stays:/);
        const gone = await type('sudo ai-fabric-agent uninstall --yes');
        expect(gone.exitCode, gone.stdout + gone.stderr).toBe(0);
        expect(gone.stdout).toMatch(/What stays:\n[\s\S]*\/etc\/ai-fabric-agent/);
        // What is left of it is the identity: the line, which was used, makes the same host of it.
        const again = await paste(line);
        expect(again.exitCode, again.stdout + again.stderr).toBe(0);

        const purged = await type('sudo ai-fabric-agent uninstall --purge --yes');
        expect(purged.exitCode, purged.stdout + purged.stderr).toBe(0);
        expect(leftBehind(before, await listMachineFiles(armitage))).toEqual([]);
        await eventually('the host is away', async () => (await host()).presence !== 'online', LINKED_MS);
        await fabric.type('sudo ai-fabric hosts remove armitage --yes');
      },
      STEP_MS,
    );

    it(
      'installs nothing with a token that was used, or that has expired, and says so',
      async () => {
        const used = await paste(line);
        expect(used.exitCode, used.stdout + used.stderr).toBe(4);
        expect(used.stderr).toContain('the token was used already: each is good for one host');

        type Tokens = { readonly items: readonly { readonly state: string }[] };
        await eventually(
          'the first token has expired',
          async () =>
            (await fabric.api<Tokens>('/join-tokens')).items.some(({ state }) => state === 'expired'),
          EXPIRY_MS,
        );
        const late = await paste(expiring);
        expect(late.exitCode, late.stdout + late.stderr).toBe(4);
        expect(late.stderr).toContain('the token has expired');
        expect((await armitage.run(['test', '-e', AGENT])).exitCode).not.toBe(0);
      },
      STEP_MS,
    );

    it(
      'upgrades the control plane to nothing that the release key did not sign',
      async () => {
        const folder = join(fabric.machine.root, 'var/tmp/tampered');
        mkdirSync(folder);
        execFileSync('tar', [
          '-xzf',
          join(release.folder, CONTROL_PLANE),
          '-C',
          folder,
          '--strip-components=1',
        ]);
        const script = 'sudo sh /var/tmp/tampered/install-control-plane.sh';
        expect(await fabric.type(script, STEP_MS)).toContain('is in place and answers');

        edit(join(folder, 'README'), (text) => `${text}And more.\n`);
        const changed = createHash('sha256')
          .update(readFileSync(join(folder, 'README')))
          .digest('hex');
        edit(join(folder, 'SHA256SUMS'), (text) => text.replace(/^\w+ {2}README$/m, `${changed}  README`));
        const refused = await fabric.machine.run(['sh', '/var/tmp/tampered/install-control-plane.sh']);
        expect(refused.exitCode, refused.stdout + refused.stderr).toBe(4);
        expect(refused.stderr).toContain('its signature is not by the release key of this program');
        rmSync(join(folder, 'SHA256SUMS.sig'));
        const bare = await fabric.machine.run(['sh', '/var/tmp/tampered/install-control-plane.sh']);
        expect(bare.exitCode, bare.stdout + bare.stderr).toBe(4);
        expect(bare.stderr).toContain('the release is not signed');
        expect(await fabric.type('sudo ai-fabric doctor')).toContain('0 errors');
        rmSync(folder, { recursive: true });
      },
      STEP_MS,
    );

    it(
      'ends with the control plane, which its own script removes',
      async () => {
        const script = 'sudo sh /opt/ai-fabric/current/install-control-plane.sh --uninstall --purge';
        expect(await fabric.type(`${script} --yes`)).not.toContain('error');
        expect((await fabric.machine.run(['test', '-e', '/var/lib/ai-fabric'])).exitCode).not.toBe(0);
      },
      STEP_MS,
    );
  },
  packaged,
);

/** An install comes to its user after all was fetched and before it joins: there it waits. */
function stopInTheMiddle(root: string): void {
  const wait = 'touch /run/half-way\nuntil [ -e /run/go-on ]; do sleep 0.05; done\n';
  writeFileSync(join(root, SLOW_USERADD), `#!/bin/sh\n${wait}exec /usr/sbin/useradd "$@"\n`, { mode: 0o755 });
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}
