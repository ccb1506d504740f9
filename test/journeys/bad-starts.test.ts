import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { ControlPlaneProcess } from '../harness/control-plane-process.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { ageRegistry, makeReadOnly } from '../harness/spoil-registry.js';

const FABRIC = fabricYaml({
  hosts: { armitage: {} },
  deployments: { 'qwen-armitage': { host: 'armitage', url: 'http://127.0.0.1:9', servedModel: 'qwen' } },
  roles: { 'chat-fast': { targets: ['qwen-armitage'] } },
});

describe('ai-fabric up, when it cannot', () => {
  let controlPlane: ControlPlaneProcess;
  beforeEach(() => {
    controlPlane = new ControlPlaneProcess();
  });
  afterEach(() => controlPlane.close());

  /** Leaves behind what a control plane that ran does. */
  const runsOnce = async (): Promise<void> => {
    const { dataDirectory } = controlPlane;
    await (await BootedControlPlane.boot({ fabric: FABRIC, dataDirectory })).close();
  };

  test('a wrong fabric.yaml is told with file, line, path and the nearest name, and nothing of it is applied', async () => {
    const wrong = FABRIC.replace('- deployment: qwen-armitage', '- deployment: qwen-armitag').replace(
      'host: armitage\n',
      'host: armitge\n',
    );
    const result = await controlPlane.spawn({ fabric: wrong }).ended();
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toBe('');
    const lines = wrong.split('\n');
    for (const [text, path, nearest] of [
      ['host: armitge', 'deployments.qwen-armitage.host', 'armitage'],
      ['- deployment: qwen-armitag', 'roles.chat-fast.targets[0].deployment', 'qwen-armitage'],
    ] as const) {
      const line = lines.findIndex((each) => each.includes(text)) + 1;
      const told = toldBy(result.stderr)
        .split('\n')
        .find((each) => each.includes(path));
      expect(told, toldBy(result.stderr)).toContain(`${controlPlane.fabricFile}:${line}`);
      expect(told).toContain(`"${nearest}"`);
    }
    expect(readdirSync(controlPlane.dataDirectory)).toEqual([]);
    await controlPlane.start({ fabric: FABRIC });
    expect(await controlPlane.api('/status')).toMatchObject({ declaredRevision: 1 });
  });

  test('a fabric.yaml that is no YAML is told with its line', async () => {
    const result = await controlPlane.spawn({ fabric: 'version: 1\nhosts: { armitage: {}\n' }).ended();
    expect(result.exitCode).toBe(1);
    expect(toldBy(result.stderr)).toMatch(/fabric\.yaml:[23]\b/);
  });

  test('a fabric.yaml that is not there is told by its path, and no data directory is made', async () => {
    const fresh = join(controlPlane.dataDirectory, 'fresh');
    const result = await controlPlane
      .spawn({ flags: ['--config', join(controlPlane.dataDirectory, 'none.yaml'), '--data', fresh] })
      .ended();
    expect(result.exitCode).toBe(1);
    expect(toldBy(result.stderr)).toContain(join(controlPlane.dataDirectory, 'none.yaml'));
    expect(existsSync(fresh)).toBe(false);
  });

  test('a registry that a newer program wrote is left alone, and both versions are named', async () => {
    await runsOnce();
    ageRegistry(controlPlane.dataDirectory, '9.8.7');
    const result = await controlPlane.spawn().ended();
    expect(result.exitCode).toBe(1);
    expect(toldBy(result.stderr)).toContain('registry.sqlite');
    expect(toldBy(result.stderr)).toMatch(/written by ai-fabric 9\.8\.7; this is ai-fabric/);
    expect(toldBy(result.stderr)).toContain('fix: start ai-fabric 9.8.7 or newer');
  });

  test('a registry that may only be read is told, with the fix', async (context) => {
    await controlPlane.start({ fabric: FABRIC });
    await controlPlane.kill();
    const readOnly = makeReadOnly(controlPlane.dataDirectory);
    if (typeof readOnly === 'string') return context.skip(readOnly);
    const result = await controlPlane.spawn(readOnly).ended();
    expect(result.exitCode).toBe(1);
    expect(toldBy(result.stderr)).toContain(
      `${controlPlane.dataDirectory}/registry.sqlite: cannot be written`,
    );
    expect(toldBy(result.stderr)).toContain('fix: give the user that runs the control plane write access');
  });

  test('a data directory that another control plane uses is told with the process that has it', async () => {
    await controlPlane.start({ fabric: FABRIC });
    const second = new ControlPlaneProcess();
    const result = await second.spawn({ flags: ['--data', controlPlane.dataDirectory] }).ended();
    await second.close();
    expect(result.exitCode).toBe(1);
    expect(toldBy(result.stderr)).toContain(`process ${controlPlane.pid}`);
    expect(toldBy(result.stderr)).toContain('fix:');
    expect(await controlPlane.api('/status')).toMatchObject({ declaredRevision: 1 });
  });

  test('a port that is taken is told by address, flag and who has it', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const result = await controlPlane.spawn({ fabric: FABRIC, flags: ['--tls-port', String(port)] }).ended();
    other.close();
    expect(result.exitCode).toBe(1);
    expect(toldBy(result.stderr)).toMatch(
      new RegExp(`127\\.0\\.0\\.1:${port} is taken by .*process ${process.pid}\\b`),
    );
    expect(toldBy(result.stderr)).toContain('--tls-port');
    // What was begun is put away: the next start is not in the way of the last.
    await controlPlane.start({ fabric: FABRIC });
  });

  test('settings that cannot be are told all at once, before anything is made: exit code 2', async () => {
    const flags = ['--port', 'eighty', '--log-level', 'loud'];
    const result = await controlPlane.spawn({ flags }).ended();
    expect(result.exitCode).toBe(2);
    expect(toldBy(result.stderr)).toContain('eighty');
    expect(toldBy(result.stderr)).toContain('loud');
    expect(existsSync(join(controlPlane.dataDirectory, 'registry.sqlite'))).toBe(false);
  });

  test.skipIf(process.platform === 'win32')(
    'an admin token that others can read is refused, with the fix',
    async () => {
      await runsOnce();
      await chmod(join(controlPlane.dataDirectory, 'admin.token'), 0o644);
      const result = await controlPlane.spawn().ended();
      expect(result.exitCode).toBe(1);
      expect(toldBy(result.stderr)).toMatch(/admin\.token.*\n?.*chmod 600/);
    },
  );
});

/** What an operator reads: with `--json` an error is one JSON line among those of the log. */
function toldBy(stderr: string): string {
  const line = stderr.split('\n').find((each) => each.startsWith('{"error":'));
  if (line === undefined) return stderr;
  const { message, fix } = (JSON.parse(line) as { error: { message: string; fix: string | null } }).error;
  return `${message}\nfix: ${fix ?? '(none)'}`;
}
