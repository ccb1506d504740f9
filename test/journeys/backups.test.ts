import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentHost } from '../harness/agent-host.js';
import { ControlPlaneProcess } from '../harness/control-plane-process.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { describeThorough } from '../harness/real-part.js';
import { type CliResult, runCli } from '../harness/run-program.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';

const FABRIC = fabricYaml({
  hosts: { armitage: {}, wintermute: { mayBeAway: true } },
  deployments: { 'qwen-armitage': { host: 'armitage', url: 'http://127.0.0.1:9', servedModel: 'qwen' } },
  roles: { 'chat-fast': { targets: ['qwen-armitage'] } },
});
const onWindows = process.platform === 'win32';

describeThorough('a backup', { timeout: 90_000 }, () => {
  let controlPlane: ControlPlaneProcess;
  let place: TemporaryDirectory;
  const hosts: AgentHost[] = [];
  const file = () => join(place.path, 'fabric.backup');
  const backup = (...args: readonly string[]): Promise<CliResult> =>
    runCli(['backup', ...args, '--data', controlPlane.dataDirectory]);

  beforeEach(async () => {
    place = temporaryDirectory();
    controlPlane = new ControlPlaneProcess();
    await controlPlane.start({ fabric: FABRIC });
  });
  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.remove()));
    await controlPlane.close();
    place.remove();
  });

  test('brings the control plane back on a new data directory, and its agents know it', async () => {
    const armitage = await AgentHost.prepare({ name: 'armitage' });
    hosts.push(armitage);
    await armitage.join(controlPlane.tlsUrl, await controlPlane.joinToken());
    await armitage.start();
    const online = async () =>
      (await controlPlane.api<{ presence: string }>('/hosts/armitage')).presence === 'online';
    await eventually('it is online', online);
    await controlPlane.api('/hosts/armitage/drain', { method: 'POST' });
    const before = await picture(controlPlane);

    const made = await backup(file(), '--json');
    expect(made.stderr).toBe('');
    expect(JSON.parse(made.stdout)).toMatchObject({ file: file(), secrets: true });
    if (!onWindows) expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(controlPlane.dataDirectory, 'backup-drafts'))).toEqual([]);

    const former = controlPlane.dataDirectory;
    await controlPlane.kill();
    controlPlane.moveTo('anew');
    const restore = (...args: readonly string[]): Promise<CliResult> =>
      runCli(['restore', file(), '--data', controlPlane.dataDirectory, ...args]);
    const dry = await restore('--dry-run', '--json');
    expect(JSON.parse(dry.stdout)).toMatchObject({
      backup: { declaredRevision: 1, withSecrets: true, rows: { hosts: 1 } },
      replaces: [],
      formerRegistry: null,
    });
    expect(readdirSync(join(controlPlane.dataDirectory, '..'))).not.toContain('anew');
    expect(await restore()).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Restored') });
    expect(controlPlane.dataDirectory).not.toBe(former);

    await controlPlane.start();
    await eventually('its agent is back', online);
    expect(await picture(controlPlane)).toEqual(before);
    expect(readFileSync(join(controlPlane.dataDirectory, 'registry.sqlite')).includes('backup_files')).toBe(
      false,
    );

    // Where something is there already it gives way, and stays beside; while somebody runs there, nothing does.
    const inUse = await restore();
    expect(inUse).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('runs on this data directory'),
    });
    const { dataDirectory } = controlPlane;
    const there = () => readdirSync(dataDirectory).toSorted();
    const listed = there();
    expect(await restore('--dry-run')).toMatchObject({
      exitCode: 4,
      stdout: expect.stringContaining('gives way     registry.sqlite'),
      stderr: expect.stringContaining(`(process ${controlPlane.pid}) runs on this data directory`),
    });
    expect(there()).toEqual(listed);
    await controlPlane.kill();
    expect(await restore('--dry-run')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await restore()).toMatchObject({ exitCode: 0 });
    const [kept = ''] = readdirSync(controlPlane.dataDirectory).filter((name) =>
      name.startsWith('.before-restore-'),
    );
    expect(readdirSync(join(controlPlane.dataDirectory, kept))).toEqual(
      expect.arrayContaining(['registry.sqlite', 'tls', 'admin.token']),
    );
    await controlPlane.start();
    expect(await picture(controlPlane)).toEqual(before);
  });

  test('without secrets holds none, and leaves those that are there', async () => {
    expect(await backup(file(), '--no-secrets')).toMatchObject({ exitCode: 0 });
    const { adminToken, dataDirectory } = controlPlane;
    const bytes = readFileSync(file());
    expect(bytes.includes('PRIVATE KEY')).toBe(false);
    expect(bytes.includes(adminToken)).toBe(false);
    await controlPlane.kill();
    expect(await runCli(['restore', file(), '--data', dataDirectory])).toMatchObject({ exitCode: 0 });
    expect(controlPlane.adminToken).toBe(adminToken);
    await controlPlane.start();
  });

  test('that is no backup, damaged or of a newer program is refused, and nothing is touched', async () => {
    expect(await backup(file())).toMatchObject({ exitCode: 0 });
    expect(await backup(file())).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('--force') });
    await controlPlane.kill();
    const { dataDirectory } = controlPlane;
    const there = readdirSync(dataDirectory);
    const bytes = readFileSync(file());
    const refuse = async (content: Buffer, words: string): Promise<void> => {
      const bad = join(place.path, 'bad.backup');
      writeFileSync(bad, content);
      const { exitCode, stderr } = await runCli(['restore', bad, '--data', dataDirectory]);
      expect(stderr).toContain(words);
      expect(exitCode).toBe(4);
      expect(readdirSync(dataDirectory)).toEqual(there);
    };
    await refuse(Buffer.from('no database at all'.repeat(500)), 'is damaged or is no backup');
    await refuse(bytes.subarray(0, bytes.length / 2), 'is damaged');
    await refuse(readFileSync(join(dataDirectory, 'registry.sqlite')), 'is no backup of a control plane');
    await refuse(replaced(bytes, 'formatVersion1', 'formatVersion9'), 'has format 9');
    expect(await runCli(['restore', join(place.path, 'none'), '--data', dataDirectory])).toMatchObject({
      exitCode: 3,
    });
  });

  test('to a full disk fails cleanly and leaves no half file', async (context) => {
    const mount = join(place.path, 'small');
    mkdirSync(mount);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=32k', 'tmpfs', mount]);
    if (mounted.status !== 0) context.skip('mounting a small file system needs root on Linux');
    try {
      expect(await backup(join(mount, 'fabric.backup'))).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('the disk is full'),
      });
      expect(readdirSync(mount)).toEqual([]);
      expect(readdirSync(join(controlPlane.dataDirectory, 'backup-drafts'))).toEqual([]);
    } finally {
      spawnSync('umount', ['-l', mount]);
    }
  });

  test('is not restored onto a full disk, which is as it was before', async (context) => {
    const mount = join(place.path, 'full');
    mkdirSync(mount);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount]);
    if (mounted.status !== 0) context.skip('mounting a small file system needs root on Linux');
    try {
      expect(await backup(file())).toMatchObject({ exitCode: 0 });
      const { exitCode, stderr } = await runCli(['restore', file(), '--data', join(mount, 'new', 'data')]);
      expect(stderr).toContain('the disk is full');
      expect(stderr).toContain('fix: make room');
      expect(stderr).not.toContain('ENOSPC');
      expect(exitCode).toBe(1);
      expect(readdirSync(mount)).toEqual([]);
    } finally {
      spawnSync('umount', ['-l', mount]);
    }
  });
});

/** What a restored control plane has in common with the former one. */
async function picture(controlPlane: ControlPlaneProcess): Promise<object> {
  const [status, hosts, deployments, roles] = await Promise.all([
    controlPlane.api<{ declaredRevision: number; certificateSha256: string }>('/status'),
    controlPlane.api<{ items: { name: string; hostId: string; draining: boolean }[] }>('/hosts'),
    controlPlane.api<{ items: { name: string; url: string }[] }>('/deployments'),
    controlPlane.api<{ items: { name: string; targets: unknown }[] }>('/roles'),
  ]);
  return {
    adminToken: controlPlane.adminToken,
    certificateSha256: status.certificateSha256,
    revision: status.declaredRevision,
    hosts: hosts.items.map(({ name, hostId, draining }) => ({ name, hostId, draining })),
    deployments: deployments.items.map(({ name, url }) => ({ name, url })),
    roles: roles.items.map(({ name, targets }) => ({ name, targets })),
  };
}

function replaced(bytes: Buffer, before: string, after: string): Buffer {
  const at = bytes.indexOf(before);
  if (at < 0) throw new Error(`"${before}" is not in it`);
  const copy = Buffer.from(bytes);
  copy.write(after, at);
  return copy;
}
