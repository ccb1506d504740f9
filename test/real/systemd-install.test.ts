import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatJoinToken, parseJoinToken } from '@ai-fabric/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { describeReal } from '../harness/real-part.js';
import { type RunResult, SystemdMachine } from '../harness/systemd-machine.js';
import { systemd } from '../harness/systemd-root.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import type { ToldCheck } from '../harness/told-check.js';
import { eventually } from '../simulators/common/eventually.js';
import { leftBehind, listMachineFiles } from './systemd/machine-files.js';
import { makeStandInRelease, STAND_IN } from './systemd/stand-in-release.js';

const FABRIC = `
version: 1
hosts:
  armitage: { mayBeAway: true }
`;
const PROGRAM = `${STAND_IN}/release/ai-fabric-agent`;
const UNIT = 'ai-fabric-agent.service';
const STATE = '/var/lib/ai-fabric-agent';
const BOOT_MS = 240_000;
/** The first of all makes its Debian. */
const FIRST_BOOT_MS = 960_000;

interface Host {
  readonly hostId: string;
  readonly presence: string;
  readonly goodbyeReason: string | null;
}
describeReal('the agent as a service of systemd', [systemd], () => {
  let home: TemporaryDirectory;
  let fabric: BootedControlPlane;
  let machine: SystemdMachine;
  let before: ReadonlySet<string>;

  beforeAll(async () => {
    home = temporaryDirectory();
    fabric = await BootedControlPlane.boot({ fabric: FABRIC });
    machine = await SystemdMachine.create({ hostName: 'armitage', binds: makeStandInRelease(home.path) });
    installPodmanSocket(machine.root);
    await machine.boot();
    before = await listMachineFiles(machine);
  }, FIRST_BOOT_MS);

  afterAll(async () => {
    await machine?.close();
    await fabric?.close();
    home?.remove();
  }, BOOT_MS);

  const agent = (args: readonly string[], input?: string, user?: string): Promise<RunResult> =>
    machine.run([PROGRAM, ...args], {
      ...(input === undefined ? {} : { input }),
      ...(user === undefined ? {} : { user }),
    });
  const install = (token: string | null, ...more: string[]): Promise<RunResult> =>
    agent(
      [
        ...['install', '--json', '--release', `${STAND_IN}/release`, ...more],
        ...(token === null ? [] : ['--server', fabric.tlsUrl, '--token-file', '-']),
      ],
      token === null ? undefined : `${token}\n`,
    );
  const codeOf = ({ stdout }: RunResult): string =>
    (JSON.parse(stdout) as { error: { code: string } }).error.code;
  const look = (): Promise<Host> => fabric.api<Host>('/hosts/armitage');
  const untilHost = async (what: string, holds: (host: Host) => boolean): Promise<void> => {
    await eventually(`armitage is ${what}`, async () => holds(await look()), 60_000);
  };
  const mainPid = async (): Promise<number> =>
    Number((await machine.must(['systemctl', 'show', '--value', '--property=MainPID', UNIT])).trim());

  describe('what keeps it from being installed', () => {
    it('is not root', async () => {
      const refused = await agent(
        ['install', '--json', '--release', `${STAND_IN}/release`],
        undefined,
        'nobody',
      );
      expect(refused.exitCode).toBe(1);
      expect(codeOf(refused)).toBe('not_root');
    });

    it('is a link in the place of its folder', async () => {
      await machine.must(['ln', '-s', '/srv', '/etc/ai-fabric-agent']);
      expect(codeOf(await install(await fabric.joinToken('armitage')))).toBe('folder_taken');
      await machine.must(['rm', '/etc/ai-fabric-agent']);
    });

    it('is another service of that name', async () => {
      const path = join(machine.root, 'etc/systemd/system', UNIT);
      writeFileSync(path, '[Service]\nExecStart=/bin/true\n');
      const refused = await install(await fabric.joinToken('armitage'));
      await machine.must(['rm', join('/etc/systemd/system', UNIT)]);
      expect(codeOf(refused)).toBe('service_taken');
    });

    it('is a disk without room', async () => {
      await machine.must(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/opt']);
      const refused = await install(await fabric.joinToken('armitage'));
      await machine.must(['umount', '/opt']);
      expect(codeOf(refused)).toBe('no_space');
    });

    it('is a token that nobody made, and none', async () => {
      const token = parseJoinToken(await fabric.joinToken('armitage'));
      if (token === null) throw new Error('the control plane made a token that is none');
      const unknown = await install(formatJoinToken({ ...token, secret: 'x'.repeat(43) }));
      expect([unknown.exitCode, codeOf(unknown)]).toEqual([4, 'token_unknown']);
      expect(unknown.stdout + unknown.stderr).not.toContain('xxxxxxxx');
      const none = await install(null);
      expect([none.exitCode, codeOf(none)]).toEqual([2, 'server_needed']);
    });

    it('is a control plane with another certificate: no secret is sent', async () => {
      const token = parseJoinToken(await fabric.joinToken('armitage'));
      if (token === null) throw new Error('the control plane made a token that is none');
      const refused = await install(formatJoinToken({ ...token, certificateSha256: 'ab'.repeat(32) }));
      expect([refused.exitCode, codeOf(refused)]).toEqual([5, 'pin_mismatch']);
    });
  });

  it('shows what it would do, and does nothing', async () => {
    const shown = await agent([
      'install',
      '--dry-run',
      '--release',
      `${STAND_IN}/release`,
      '--server',
      fabric.tlsUrl,
      '--token-file',
      '-',
    ]);
    expect(shown.exitCode, shown.stderr).toBe(0);
    expect(shown.stdout).toContain('/etc/systemd/system/ai-fabric-agent.service');
    expect((await machine.run(['test', '-e', '/opt/ai-fabric-agent'])).exitCode).toBe(1);
  });

  it('is completed by the next install where one died half-way, with /usr read-only', async () => {
    const dead = await agent(
      ['install', '--release', `${STAND_IN}/release`, '--server', 'https://127.0.0.1:1', '--token-file', '-'],
      await fabric.joinToken('armitage'),
    );
    expect(dead.exitCode, dead.stderr).toBe(5);
    expect(dead.stderr).toContain('run the same again');
    await machine.must(['mount', '--bind', '/usr', '/usr']);
    await machine.must(['mount', '-o', 'remount,bind,ro', '/usr']);

    const installed = await install(await fabric.joinToken('armitage'));
    await machine.must(['mount', '-o', 'remount,bind,rw', '/usr']);

    expect(installed.exitCode, installed.stdout + installed.stderr).toBe(0);
    const told = JSON.parse(installed.stdout) as { steps: { detail: string | null }[]; checks: ToldCheck[] };
    expect(told.steps.map(({ detail }) => detail).join()).toContain('left out: /usr/local/bin');
    const states = Object.fromEntries(told.checks.map(({ id, state }) => [id, state]));
    expect(states).toMatchObject({ linked: 'green', sign_in_at_boot: 'green', driver_and_cards: 'red' });
    for (const { state, fix } of told.checks) if (state === 'red') expect(fix).not.toBeNull();
    await untilHost('online', ({ presence }) => presence === 'online');
  });

  it('opens Podman’s socket to the agent’s user and to nobody else, and closes it where that is asked for', async () => {
    const mayUse = async (user: string): Promise<boolean> =>
      (await machine.run(['test', '-w', '/run/podman/podman.sock'], { user })).exitCode === 0;
    expect([await mayUse('ai-fabric-agent'), await mayUse('nobody')]).toEqual([true, false]);

    const closed = await install(null, '--podman-socket', 'none');

    expect(closed.exitCode, closed.stdout + closed.stderr).toBe(0);
    expect([await mayUse('ai-fabric-agent'), await mayUse('root')]).toEqual([false, true]);
  });

  it('repairs what is missing, needs no token for it, and keeps its identity', async () => {
    const { hostId } = await look();
    await machine.must(['rm', `/etc/systemd/system/${UNIT}`]);
    const again = await install(null);
    expect(again.exitCode, again.stdout + again.stderr).toBe(0);
    await untilHost('online', ({ presence }) => presence === 'online');
    expect(hostId).toMatch(/./);
    expect((await look()).hostId).toBe(hostId);
    expect((await machine.run(['test', '-L', '/usr/local/bin/ai-fabric-agent'])).exitCode).toBe(0);
  });

  it('joins anew by a token that comes along, where the control plane has forgotten the host', async () => {
    const { hostId } = await look();
    await fabric.api('/hosts/armitage?force=true', { method: 'DELETE' });

    const again = await install(await fabric.joinToken('armitage'));

    expect(again.exitCode, again.stdout + again.stderr).toBe(0);
    await untilHost('online', ({ presence }) => presence === 'online');
    expect((await look()).hostId).not.toBe(hostId);
  });

  it('is one at a time', async () => {
    const both = await Promise.all([install(null), install(null)]);
    const [first, second] = both.toSorted((one, other) => (one.exitCode ?? 9) - (other.exitCode ?? 9));
    expect(first?.exitCode, JSON.stringify(both)).toBe(0);
    expect(second !== undefined && codeOf(second)).toBe('install_under_way');
  });

  it('runs as a user of its own, whose key only root can read', async () => {
    const status = await machine.must(['cat', `/proc/${await mainPid()}/status`]);
    const uid = (await machine.must(['id', '-u', 'ai-fabric-agent'])).trim();
    expect(status).toMatch(new RegExp(`^Uid:\\t${uid}\\t${uid}\\t`, 'm'));
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    const mode = await machine.must(['stat', '--format=%a %U', '/etc/ai-fabric-agent/host-key.pem']);
    expect(mode.trim()).toBe('600 root');
    const policy = await machine.must(['stat', '--format=%a %U:%G', '/etc/ai-fabric-agent/agent.yaml']);
    expect(policy.trim()).toBe('640 root:ai-fabric-agent');
  });

  it('is exposed no more than systemd calls good', async () => {
    const judged = await machine.must(['systemd-analyze', 'security', '--no-pager', UNIT]);
    const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(judged)?.[1]);
    expect(exposure, judged).toBeLessThanOrEqual(3);
  });

  it('writes lines of JSON into the journal', async () => {
    const lines = (await machine.journal(UNIT)).split('\n').filter((line) => line.startsWith('{'));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
  });

  it('has root do what polkit lets it ask for, and nothing else', async () => {
    const ask = (verb: string, unit: string): Promise<RunResult> =>
      machine.run(['systemctl', verb, '--no-ask-password', unit], { user: 'ai-fabric-agent' });
    const read = await ask('start', 'ai-fabric-agent-helper@read-wake-arming.service');
    expect(read.exitCode, read.stderr).toBe(0);
    const answer = await machine.must(['cat', '/run/ai-fabric-agent/read-wake-arming.json']);
    expect(JSON.parse(answer)).toMatchObject({ verb: 'read-wake-arming', ok: true });
    for (const [verb, unit] of [
      ['start', 'ai-fabric-agent-helper@anything.service'],
      ['stop', 'ai-fabric-agent-helper@suspend.service'],
      ['restart', UNIT],
      ['start', 'systemd-journald.service'],
      ['start', 'rescue.target'],
    ] as const) {
      const refused = await ask(verb, unit);
      expect(refused.exitCode, `${verb} ${unit}`).not.toBe(0);
      expect(refused.stderr, `${verb} ${unit}`).toMatch(/authentication required|denied/i);
    }
  });

  it('is refused by root what its owner does not allow, whatever it asks', async () => {
    const asked = await machine.run(['systemctl', 'start', 'ai-fabric-agent-helper@reboot.service'], {
      user: 'ai-fabric-agent',
    });
    expect(asked.exitCode).not.toBe(0);
    const answer = await machine.must(['cat', '/run/ai-fabric-agent/reboot.json']);
    expect(JSON.parse(answer)).toMatchObject({ ok: false, code: 'policy_refused' });
  });

  it('is started again after it was killed', async () => {
    const killed = await mainPid();
    expect(killed).toBeGreaterThan(1);
    await machine.must(['kill', '-9', String(killed)]);
    await eventually('another process runs', async () => ![0, killed].includes(await mainPid()), 60_000);
    await eventually('it is linked', async () => (await doctor())['linked']?.state === 'green', 60_000);
  });

  it('is joined anew by an install, and by nobody’s hand: that would be by another key', async () => {
    const join_ = async (user?: string): Promise<string> =>
      codeOf(await agent(['join', '--json', '--force', '--server', fabric.tlsUrl], 'none', user));
    const found = (): Promise<string> =>
      machine.must(['find', STATE, '-maxdepth', '1', '-name', '*.*', '-printf', '%f %u %T@\n']);
    await machine.must(['systemctl', 'stop', UNIT]);
    const files = await found();
    expect([await join_(), await join_('nobody')]).toEqual(['installed_service', 'installed_service']);
    expect(await found()).toBe(files);
    await machine.must(['systemctl', 'start', UNIT]);
    expect(await join_()).toBe('installed_service');
    expect(await found()).not.toContain('host-key.pem');
    await untilHost('online', ({ presence }) => presence === 'online');
  });

  it('says why its service keeps ending, and is mended by the next install', async () => {
    await machine.must(['chown', 'root:root', `${STATE}/agent.json`]);
    await machine.must(['systemctl', 'restart', UNIT]);
    const isTold = ({ stdout }: RunResult): boolean =>
      /service keeps ending \(.*agent\.json.*EACCES/.test(stdout);
    await eventually('status says so', async () => isTold(await agent(['status'])), 60_000);
    const { linked } = await doctor();
    expect(linked).toMatchObject({
      says: expect.stringMatching(/^The service .*agent\.json.*EACCES/),
      fix: expect.stringContaining('journalctl -u ai-fabric-agent'),
    });
    const mended = await install(null);
    expect(mended.exitCode, mended.stdout + mended.stderr).toBe(0);
  });

  it('writes anew what it has joined where that does not hold any more or is damaged, and keeps its key', async () => {
    const { hostId } = await look();
    const otherPin = `s/"certificateSha256": "[0-9a-f]*"/"certificateSha256": "${'ab'.repeat(32)}"/`;
    await machine.must(['sed', '-i', otherPin, `${STATE}/agent.json`]);
    await machine.must(['systemctl', 'restart', UNIT]);
    const status = async (): Promise<string> => (await agent(['status'])).stdout;
    await eventually('status names the way', async () => /^ +→ .*--rejoin/m.test(await status()), 60_000);
    expect(await status()).not.toContain('join --force');
    await machine.must(['cp', '/dev/null', `${STATE}/agent.json`]);
    await machine.must(['systemctl', 'restart', UNIT]);
    expect((await doctor())['linked']?.fix).toContain('--rejoin');
    const token = await fabric.joinToken('armitage');
    expect([codeOf(await install(null)), codeOf(await install(token))]).toEqual([
      'damaged_state',
      'damaged_state',
    ]);

    const mended = await install(token, '--rejoin');

    expect(mended.exitCode, mended.stdout + mended.stderr).toBe(0);
    await untilHost('online', ({ presence }) => presence === 'online');
    expect((await look()).hostId).toBe(hostId);
  });

  it(
    'starts with the machine, and says goodbye before',
    async () => {
      await machine.reboot();
      await untilHost('online', ({ presence }) => presence === 'online');
      await eventually('it is linked', async () => (await doctor())['linked']?.state === 'green', 60_000);

      await machine.powerOff();
      await untilHost(
        'away',
        ({ goodbyeReason, presence }) => presence !== 'online' && goodbyeReason === 'shutdown',
      );
    },
    BOOT_MS,
  );

  it(
    'asks for an identity of its own where its disk was copied',
    async () => {
      machine.giveIdentity();
      await machine.boot();
      await eventually(
        'the copy is refused',
        async () => {
          const linked = (await doctor())['linked'];
          return linked?.state === 'red' && (linked.fix ?? '').includes('--new-identity');
        },
        60_000,
      );

      const refused = await install(null);
      expect(codeOf(refused)).toBe('cloned_machine');

      const own = await install(await fabric.joinToken(), '--new-identity', '--name', 'copy');
      expect(own.exitCode, own.stdout + own.stderr).toBe(0);
      expect((await fabric.api<Host>('/hosts/copy')).presence).toBe('online');
    },
    BOOT_MS,
  );

  it('takes away what it made: settings and key stay', async () => {
    const gone = await agent(['uninstall', '--yes', '--json']);
    expect(gone.exitCode, gone.stdout + gone.stderr).toBe(0);
    const { stays } = JSON.parse(gone.stdout) as { stays: string[] };
    expect(stays.join('\n')).toContain('/etc/ai-fabric-agent');
    expect((await machine.run(['systemctl', 'cat', UNIT])).exitCode).not.toBe(0);
    expect((await machine.run(['test', '-e', '/opt/ai-fabric-agent'])).exitCode).toBe(1);
    expect((await machine.run(['test', '-f', '/etc/ai-fabric-agent/host-key.pem'])).exitCode).toBe(0);

    const back = await install(null);
    expect(back.exitCode, back.stdout + back.stderr).toBe(0);
  });

  it('leaves nothing but what is documented when it is purged', async () => {
    const gone = await agent(['uninstall', '--purge', '--yes', '--json']);
    expect(gone.exitCode, gone.stdout + gone.stderr).toBe(0);
    expect(leftBehind(before, await listMachineFiles(machine))).toEqual([]);
  });

  async function doctor(): Promise<Readonly<Record<string, ToldCheck>>> {
    const { stdout } = await agent(['doctor', '--json']);
    const { checks } = JSON.parse(stdout) as { checks: ToldCheck[] };
    return Object.fromEntries(checks.map((check) => [check.id, check]));
  }
});

/** The units of Debian's Podman, of which nothing but the socket is wanted here. */
function installPodmanSocket(root: string): void {
  const folder = join(root, 'usr/lib/systemd/system');
  const socket = '[Socket]\nListenStream=%t/podman/podman.sock\nSocketMode=0660\nDirectoryMode=0700\n';
  writeFileSync(join(folder, 'podman.socket'), `${socket}[Install]\nWantedBy=sockets.target\n`);
  writeFileSync(join(folder, 'podman.service'), '[Service]\nExecStart=/bin/sleep infinity\n');
}
