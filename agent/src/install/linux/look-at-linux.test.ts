import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProgramSource } from '../program-source.js';
import { OUR_MARK } from './decide/linux-paths.js';
import { lookAtLinux } from './look-at-linux.js';

const program: ProgramSource = {
  ...{ ok: true, path: '/a', version: '1.0.0', sha256: 'ab', bytes: 1_000, beside: [], proof: 'signed' },
  builtAtMs: null,
};

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'machine-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const put = async (path: string, text = '', mode = 0o644): Promise<void> => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text, { mode });
};

/** @param succeeds or what it prints then */
const look = (succeeds: (call: string) => boolean | string = () => false, isRoot = true) =>
  lookAtLinux({
    ...{ root, isRoot, nowMs: 1 },
    findProgram: () => Promise.resolve(program),
    runTool: (file, args) => {
      const answer = succeeds([file, ...args].join(' '));
      return answer === false
        ? Promise.reject(new Error('no'))
        : Promise.resolve(answer === true ? '' : answer);
    },
  });

describe('a look at a Linux machine', () => {
  it('that has nothing finds nothing, and leaves nothing', async () => {
    expect(await look()).toMatchObject({
      ...{
        hasSystemd: false,
        systemdVersion: null,
        polkit: 'none',
        record: null,
        units: [],
        hasAccount: false,
        hasKey: false,
      },
      ...{ joined: null, machineSha256: null, readOnly: [], hasPodman: false, hasDocker: false },
      isPodmanEnabled: false,
    });
    expect(await readdir(root)).toEqual([]);
  });

  it('finds what is there', async () => {
    await mkdir(join(root, 'run/systemd/system'), { recursive: true });
    await mkdir(join(root, 'etc/polkit-1/rules.d'), { recursive: true });
    await put('/etc/machine-id', `${'0a'.repeat(16)}\n`);
    await put('/etc/group', 'root:x:0:\ndocker:x:999:anna\n');
    await put('/usr/lib/systemd/system/podman.socket');
    await put('/etc/ai-fabric-agent/host-key.pem', 'key', 0o600);
    await put('/etc/ai-fabric-agent/agent.yaml', 'version: 1\n');
    expect(
      await look((call) => call.startsWith('id -u') || call.startsWith('systemctl is-enabled')),
    ).toMatchObject({
      ...{ hasSystemd: true, polkit: 'reads_rules', hasAccount: true, hasKey: true, hasPolicy: true },
      ...{ hasPodman: true, hasDocker: true, isPodmanEnabled: true },
      machineSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it.each([
    ['pkaction version 0.105', true, 'old'],
    ['pkaction version 0.106', true, 'reads_rules'],
    ['pkaction version 0.117', true, 'reads_rules'],
    ['pkaction version 122', true, 'reads_rules'],
    ['pkaction version 122', false, 'old'],
    [false, true, 'reads_rules'],
    [false, false, 'old'],
  ] as const)('knows a polkit that reads rules: %s, folder %s, is %s', async (version, hasFolder, polkit) => {
    await mkdir(join(root, 'usr/share/polkit-1'), { recursive: true });
    if (hasFolder) await mkdir(join(root, 'etc/polkit-1/rules.d'), { recursive: true });
    expect(await look((call) => call.startsWith('pkaction') && version)).toMatchObject({ polkit });
  });

  it.each([
    ['systemd 252 (252.39-1~deb12u1)\n+PAM +AUDIT', 252],
    ['systemd 245 (245.4-4ubuntu3.24)\n', 245],
    ['systemd 258.1\n', 258.1],
    ['no such thing', null],
  ])('knows how old systemd is: %s', async (printed, systemdVersion) => {
    const seen = await look((call) => call === 'systemctl --version' && printed);
    expect(seen).toMatchObject({ systemdVersion });
  });

  it('knows what a rootless Podman needs and is not here', async () => {
    expect((await look()).missingForRootless).toEqual([
      'podman',
      'uidmap',
      'dbus-user-session',
      'slirp4netns',
    ]);
    await put('/usr/bin/newuidmap');
    await put('/usr/lib/systemd/user/dbus.socket');
    await put('/usr/bin/pasta');
    expect((await look()).missingForRootless).toEqual(['podman']);
    await put('/usr/lib/systemd/user/podman.socket');
    expect((await look()).missingForRootless).toEqual([]);
  });

  it('tells units of ours from others of the same name, wherever they lie', async () => {
    await put('/etc/systemd/system/ai-fabric-agent.service', `# ${OUR_MARK}\n[Service]\n`);
    await put('/usr/lib/systemd/system/ai-fabric-agent.service', '[Service]\nExecStart=/usr/bin/other\n');
    const { units } = await look();
    expect(units).toEqual([
      { path: '/etc/systemd/system/ai-fabric-agent.service', isOurs: true },
      { path: '/usr/lib/systemd/system/ai-fabric-agent.service', isOurs: false },
    ]);
  });

  it('finds what others put in the place of its folders, and takes folders of its own for none of that', async () => {
    await mkdir(join(root, 'opt/ai-fabric-agent'), { recursive: true, mode: 0o755 });
    await mkdir(join(root, 'etc/ai-fabric-agent'), { recursive: true, mode: 0o755 });
    await mkdir(join(root, 'var/lib/ai-fabric-agent'), { recursive: true, mode: 0o700 });
    expect((await look()).taken).toEqual([]);
    await rm(join(root, 'etc/ai-fabric-agent'), { recursive: true });
    await symlink('/srv/x', join(root, 'etc/ai-fabric-agent'));
    await chmod(join(root, 'opt/ai-fabric-agent'), 0o775);
    await rm(join(root, 'var/lib/ai-fabric-agent'), { recursive: true });
    await put('/var/lib/ai-fabric-agent');
    expect((await look()).taken).toEqual([
      { path: '/opt/ai-fabric-agent', is: 'a folder that others may write to' },
      { path: '/etc/ai-fabric-agent', is: 'a link to /srv/x' },
      { path: '/var/lib/ai-fabric-agent', is: 'no folder' },
    ]);
  });

  it('by who is not root does not trip over a record that root alone reads', async () => {
    await put('/etc/ai-fabric-agent/installed.json', 'not to be read', 0o600);
    expect(await look(() => false, false)).toMatchObject({ isRoot: false, record: null });
  });

  it('says how much room there is, where what goes there will lie', async () => {
    const { room } = await look();
    expect(room.map(({ path }) => path)).toEqual(['/opt', '/var/lib']);
    for (const { freeBytes, neededBytes } of room) {
      expect(freeBytes).toBeGreaterThan(0);
      expect(neededBytes).toBeGreaterThan(0);
    }
  });

  it('reads what was joined, and says so where it is damaged', async () => {
    const joined = {
      version: 1,
      serverUrl: 'https://m:8443',
      certificateSha256: 'ab'.repeat(32),
      hostId: 'h',
      hostName: 'a',
    };
    await put('/var/lib/ai-fabric-agent/agent.json', JSON.stringify(joined), 0o600);
    const seen = await look();
    expect(seen).toMatchObject({ joined: { serverUrl: 'https://m:8443', hostName: 'a' }, joinedFault: null });
    await put('/var/lib/ai-fabric-agent/agent.json', '{', 0o600);
    expect(await look()).toMatchObject({
      joined: null,
      joinedFault: expect.stringMatching(/agent\.json.*damaged/),
    });
  });

  it('tries nothing of who is not root', async () => {
    await put('/var/lib/ai-fabric-agent/agent.json', '{', 0o600);
    await chmod(join(root, 'var/lib/ai-fabric-agent'), 0o700);
    expect(await look(() => false, false)).toMatchObject({ joined: null, room: [], readOnly: [] });
  });
});
