import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ControlPlaneArchive } from '../harness/control-plane-archive.js';
import { describeReal } from '../harness/real-part.js';
import { SystemdMachine } from '../harness/systemd-machine.js';
import { systemd } from '../harness/systemd-root.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';
import { LITELLM_CONFIG, litellmUnit } from './installed-control-plane/litellm-parts.js';

/** The machine has the network of the one that tests run on: ports that nobody else's tests use. */
const PORT = 18_431;
const TLS_PORT = 18_432;
const LITELLM_PORT = 18_433;
/** Of documentation (RFC 5737): no machine has it until this test gives it one. */
const LATE_ADDRESS = '198.51.100.77';
const STAND_IN = fileURLToPath(new URL('installed-control-plane/litellm-stand-in.mjs', import.meta.url));
const INSTALLED_SCRIPT = '/opt/ai-fabric/current/install-control-plane.sh';
/** What programs of the system write by themselves, whatever is installed. */
const OF_THE_SYSTEM =
  /^\/(run|tmp|proc|sys|dev|archives|var\/(log|tmp|cache|lib\/(systemd|dbus|polkit-1|private))|etc\/(\.pwd\.lock|resolv\.conf|mtab|(passwd|group|g?shadow|sub[ug]id)-?$))/;

const OLD = '0.1.0';

describeReal('the control plane as a service, under real systemd', [systemd], () => {
  let place: TemporaryDirectory;
  let machine: SystemdMachine;
  let before: string[];
  let held: HeldPort;

  const sh = (command: string) => machine.run(['sh', '-c', command]);
  const install = (archive: string, ...flags: readonly string[]) =>
    machine.run(['sh', `/archives/${archive}/install-control-plane.sh`, ...flags]);
  const installed = (...flags: readonly string[]) => machine.run(['sh', INSTALLED_SCRIPT, ...flags]);
  const cli = async <Value>(...args: readonly string[]): Promise<Value> =>
    JSON.parse(await machine.must(['ai-fabric', ...args, '--json'])) as Value;
  const show = async (property: string): Promise<string> =>
    (await machine.must(['systemctl', 'show', 'ai-fabric', `--property=${property}`, '--value'])).trim();
  const answers = async (path: string, port = PORT): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(5_000) });
    return answer.ok ? await answer.json() : Promise.reject(new Error(`status ${answer.status}`));
  };
  const untilReady = () => eventually('it is ready', async () => (await answers('/readyz')) !== null, 60_000);
  const untilGone = (port: number) =>
    eventually(
      `nobody listens on ${port}`,
      () =>
        answers('/readyz', port).then(
          () => false,
          () => true,
        ),
      30_000,
    );
  const version = async () => (await machine.must(['ai-fabric', '--version'])).trim();
  const files = async () =>
    (await machine.must(['find', '/', '-xdev', '-printf', '%p %y\n']))
      .split('\n')
      .filter((line) => line !== '' && !OF_THE_SYSTEM.test(line))
      .toSorted();

  beforeAll(async () => {
    // Of a run that was killed.
    removeLateAddress();
    place = temporaryDirectory();
    const archives = join(place.path, 'archives');
    mkdirSync(archives);
    held = await holdPort();
    makeArchives(archives, held.port);
    machine = await SystemdMachine.create({
      hostName: 'motoko',
      binds: [{ from: archives, to: '/archives' }],
    });
    await machine.boot();
    before = await files();
  }, 900_000);
  afterAll(async () => {
    removeLateAddress();
    await machine?.close();
    held?.close();
    place?.remove();
  });

  it('is installed from its archive, answers, and says what comes next', async () => {
    const script = '/archives/install-control-plane.sh';
    const flags = ['--port', `${PORT}`, '--tls-port', `${TLS_PORT}`, '--host', LATE_ADDRESS];
    const tried = await machine.run(['dash', script, ...flags, '--dry-run']);
    expect(tried).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await files()).toEqual(before);

    const { exitCode, stdout, stderr } = await machine.run(['dash', script, ...flags]);
    expect({ exitCode, stderr }, stdout).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`AI Fabric ${OLD} is installed and answers.`);
    expect(stdout).toContain(`http://127.0.0.1:${PORT}/v1`);
    expect(stdout).toContain(`it waits for ${LATE_ADDRESS}`);
    expect(stdout).toContain('Next: sudo ai-fabric token create');
    expect(await answers('/readyz')).toMatchObject({ status: 'ok' });
    expect(await cli('hosts')).toEqual([]);
    expect((await machine.must(['systemctl', 'is-enabled', 'ai-fabric'])).trim()).toBe('enabled');
  });

  it('runs as a user of its own, hardened, and its data are for that user alone', async () => {
    expect(await show('User')).toBe('ai-fabric');
    const owner = await machine.must([
      'stat',
      '--format=%U %a',
      '/var/lib/ai-fabric',
      '/etc/ai-fabric/control-plane.env',
    ]);
    expect(owner).toBe('ai-fabric 700\nroot 600\n');
    const analysis = await machine.must(['systemd-analyze', 'security', '--no-pager', 'ai-fabric']);
    const [, exposure = '10'] =
      /Overall exposure level for ai-fabric\.service: ([0-9.]+)/.exec(analysis) ?? [];
    expect(Number(exposure)).toBeLessThanOrEqual(3);
  });

  it('listens on an address that comes later', async () => {
    execFileSync('ip', ['address', 'add', `${LATE_ADDRESS}/32`, 'dev', 'lo']);
    const listens = async () => (await fetch(`http://${LATE_ADDRESS}:${PORT}/healthz`)).ok;
    await eventually('it listens there', listens, 60_000);
  });

  it('is left alone by a second run, and keeps what its owner wrote', async () => {
    await sh('echo "# mine" >>/etc/ai-fabric/fabric.yaml');
    const processId = await show('MainPID');
    const { exitCode, stdout } = await installed('--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'repair', running: true });
    expect(await show('MainPID')).toBe(processId);
    expect(machine.read('/etc/ai-fabric/fabric.yaml')).toContain('# mine');
  });

  it('is changed by one at a time', async () => {
    const processId = await show('MainPID');
    const script = '/opt/ai-fabric/current/install-control-plane.sh';
    const second = await machine.run(['flock', '/run/ai-fabric-install.lock', 'dash', script]);
    expect([second.exitCode, second.stdout]).toEqual([4, '']);
    expect(second.stderr).toContain('another install or removal of the control plane goes on here');
    expect(await show('MainPID')).toBe(processId);
  });

  it('comes back after a kill, and after a restart of the machine', async () => {
    const processId = await show('MainPID');
    await machine.must(['kill', '-KILL', processId]);
    await eventually(
      'another process runs',
      async () => !['0', processId].includes(await show('MainPID')),
      30_000,
    );
    await untilReady();
    await machine.reboot();
    await untilReady();
  });

  it('is upgraded after a backup, and takes what was declared along', async () => {
    await machine.must([
      'ai-fabric',
      'token',
      'create',
      '--host',
      'armitage',
      '--out',
      '/root/armitage.token',
    ]);
    const { exitCode, stdout, stderr } = await install('ai-fabric-0.2.0');
    expect({ exitCode, stderr }, stdout).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('AI Fabric 0.2.0 is upgraded and answers.');
    expect(await version()).toContain('0.2.0');
    expect(await answers('/readyz')).toMatchObject({ status: 'ok' });
    expect(await cli('token')).toMatchObject([{ hostName: 'armitage' }]);
    expect(await machine.must(['ls', '/var/lib/ai-fabric/upgrade-backups'])).toMatch(
      /^before-0\.2\.0-.*\.backup\n$/,
    );
  });

  it('is not replaced by an older version', async () => {
    const { exitCode, stderr } = await install(`ai-fabric-${OLD}`);
    expect(exitCode).toBe(4);
    expect(stderr).toContain(`0.2.0 is installed; this archive holds ${OLD}, which is older`);
  });

  it('returns to the version and the registry before', async () => {
    await machine.must(['ai-fabric', 'token', 'create', '--host', 'later', '--out', '/root/later.token']);
    const { exitCode, stdout, stderr } = await installed('--rollback');
    expect({ exitCode, stderr }, stdout).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`AI Fabric ${OLD} runs again, with the registry of before that upgrade.`);
    expect(await version()).toContain(OLD);
    await untilReady();
    expect(await cli<unknown[]>('token')).toHaveLength(1);
    // What was written since is kept.
    expect(await machine.must(['sh', '-c', 'ls -d /var/lib/ai-fabric/.before-restore-*'])).not.toBe('');
  });

  it('goes back by itself from an upgrade that changes the registry and does not come up', async () => {
    const { exitCode, stderr, stdout } = await install('ai-fabric-0.3.0');
    expect(exitCode, stdout).toBe(1);
    expect(stderr).toMatch(/ai-fabric\.service did not come up: it ended \d times.*is taken by/s);
    expect(stderr).toContain(`${OLD} runs again, with its registry as it was before`);
    expect(await version()).toContain(OLD);
    expect(await answers('/readyz')).toMatchObject({ status: 'ok' });
    expect(await cli<unknown[]>('token')).toHaveLength(1);
  });

  it('is removed: configuration and data stay until they are purged, and then nothing does', async () => {
    const removed = await installed('--uninstall');
    expect(removed).toMatchObject({ exitCode: 0, stderr: '' });
    expect(removed.stdout).toContain('What stays:');
    await untilGone(PORT);
    const left = await files();
    expect(left).toContain('/etc/ai-fabric/fabric.yaml f');
    expect(left).toContain('/var/lib/ai-fabric/registry.sqlite f');
    expect(left.filter((line) => line.startsWith('/opt/'))).toEqual([]);
    // From the archive: nothing of it is installed any more.
    const purged = await install(`ai-fabric-${OLD}`, '--uninstall', '--purge', '--yes');
    expect(purged).toMatchObject({ exitCode: 0, stderr: '' });
    await sh('rm -f /root/*.token');
    expect(await files()).toEqual(before);
    expect(machine.read('/etc/passwd')).not.toContain('ai-fabric');
  });

  it('takes the place of a LiteLLM proxy after a yes, with its names and keys, and gives it back', async () => {
    await installStandIn(machine);
    const flags = ['--replace-litellm', '--port', `${LITELLM_PORT}`, '--tls-port', `${TLS_PORT}`];
    const asked = await install(`ai-fabric-${OLD}`, ...flags);
    // Nobody is there who could be asked: it runs beside the proxy, which was left alone.
    expect(asked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('add --yes') });
    expect(asked.stdout).toMatch(/chat-fast +is known, but no host with it is there/);
    expect(asked.stdout).toMatch(/openai\/strong +is answered/);
    expect(asked.stdout).toMatch(/left out +line 1[34]: litellm_settings/);
    expect(await answers('/v1/models', LITELLM_PORT)).toMatchObject({ served_by: 'litellm' });

    const { exitCode, stdout, stderr } = await install(`ai-fabric-${OLD}`, '--replace-litellm', '--yes');
    expect({ exitCode, stderr }, stdout).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(
      `AI Fabric answers on port ${LITELLM_PORT}. litellm.service is stopped and disabled`,
    );
    const { data } = (await answers('/v1/models', LITELLM_PORT)) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining(['chat-fast', 'gpt-4', 'openai/strong']));
    expect((await sh('systemctl is-active litellm; systemctl is-enabled litellm')).stdout).toBe(
      'inactive\ndisabled\n',
    );
    expect(machine.read('/etc/ai-fabric/control-plane.env')).toContain('\nOPENAI_API_KEY=sk-of-the-proxy\n');
    expect(stdout).not.toContain('sk-of-the-proxy');

    expect(await installed('--undo-replace-litellm')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await answers('/v1/models', LITELLM_PORT)).toMatchObject({ served_by: 'litellm' });
    expect((await sh('systemctl is-active litellm; systemctl is-enabled litellm')).stdout).toBe(
      'active\nenabled\n',
    );

    expect(await install(`ai-fabric-${OLD}`, '--replace-litellm', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await installed('--uninstall', '--purge', '--yes')).toMatchObject({ exitCode: 0 });
    await eventually(
      'the proxy answers again',
      async () => 'served_by' in ((await answers('/v1/models', LITELLM_PORT)) as object),
    );
  });
});

/** What is installed first as it comes, the others unpacked. */
function makeArchives(folder: string, heldPort: number): void {
  const first = ControlPlaneArchive.assemble(folder, { version: OLD, kind: 'whole' });
  const tar = ['--gzip', '-cf', join(folder, 'ai-fabric-control-plane-linux-x64.tar.gz'), '-C', folder];
  execFileSync('tar', [...tar, `ai-fabric-${OLD}`], { env: { ...process.env, GZIP: '-1' }, stdio: 'pipe' });
  cpSync(join(first.folder, 'install-control-plane.sh'), join(folder, 'install-control-plane.sh'));

  const second = ControlPlaneArchive.assemble(folder, { version: '0.2.0', kind: 'whole' });
  second.addMigration('9000_second', 'CREATE TABLE second_version (id integer);');
  second.seal();

  // It brings the registry to its form, and then finds its port taken.
  const broken = ControlPlaneArchive.assemble(folder, { version: '0.3.0', kind: 'whole' });
  broken.addMigration('9000_third', 'CREATE TABLE third_version (id integer);');
  broken.writeProgram(`[ "$1" = up ] && set -- "$@" --host 127.0.0.1 --port ${heldPort}
exec "$home/node/bin/node" "$home/lib/control-plane/dist/program/main.js" "$@"`);
  broken.seal();
}

/** Where it was never given, there is nothing to take. */
function removeLateAddress(): void {
  spawnSync('ip', ['address', 'delete', `${LATE_ADDRESS}/32`, 'dev', 'lo'], { stdio: 'ignore' });
}

interface HeldPort {
  readonly port: number;
  close(): void;
}

async function holdPort(): Promise<HeldPort> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

async function installStandIn(machine: SystemdMachine): Promise<void> {
  mkdirSync(join(machine.root, 'opt/litellm/bin'), { recursive: true });
  cpSync(STAND_IN, join(machine.root, 'opt/litellm/bin/litellm'));
  writeFileSync(join(machine.root, 'opt/litellm/package.json'), '{"type":"module"}');
  writeFileSync(join(machine.root, 'opt/litellm/config.yaml'), LITELLM_CONFIG);
  const unit = litellmUnit(`/archives/ai-fabric-${OLD}/node/bin/node`, LITELLM_PORT);
  writeFileSync(join(machine.root, 'etc/systemd/system/litellm.service'), unit);
  await machine.must(['systemctl', 'enable', '--now', 'litellm']);
  await eventually(
    'the proxy answers',
    async () => (await fetch(`http://127.0.0.1:${LITELLM_PORT}`)).ok,
    30_000,
  );
}
