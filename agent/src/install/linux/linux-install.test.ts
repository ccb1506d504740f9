import { createPublicKey } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { formatJoinToken, systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAgentConfig } from '../../config/read-agent-config.js';
import type { RunTool } from '../../identity/run-tool.js';
import { FakeControlPlane, makeCertificate } from '../../link/testing/fake-control-plane.js';
import type { UpgradeRecord } from '../../upgrade/upgrade-record.js';
import type { InstallRequest, InstallSystem } from '../install-steps.js';
import type { LinuxStep } from './decide/linux-steps.js';
import { linuxInstall } from './linux-install.js';

const record: UpgradeRecord = {
  ...{ format: 1, stage: 'proving', manifestSha256: 'ab'.repeat(32), signed: true, reason: null, proofs: 1 },
  from: { version: '0.1.0', folder: '/opt/ai-fabric-agent/versions/0.1.0-old' },
  to: { version: '0.2.0', folder: '/opt/ai-fabric-agent/versions/0.2.0-new' },
  changedAtMs: 1,
};

let root: string;
let isFinishing: boolean;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'refuse-uninstall-'));
  isFinishing = true;
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const runTool: RunTool = (file, args) => {
  const asks = [file, ...args].join(' ') === 'systemctl is-active --quiet ai-fabric-agent-upgrade.service';
  return asks && isFinishing ? Promise.resolve('') : Promise.reject(new Error('inactive'));
};
const openSystem = (isRoot: boolean, tool = runTool): InstallSystem<LinuxStep> =>
  linuxInstall({
    ...{ root, isRoot, runTool: tool, clock: systemClock(), random: () => 0, log: pino({ level: 'silent' }) },
    readConfig: () => readAgentConfig({ state: join(root, 'var/lib/ai-fabric-agent') }, {}),
    findProgram: () => Promise.reject(new Error('nobody asks')),
  });
const refuse = async (isRoot = true): Promise<string | null> =>
  (await openSystem(isRoot).refuseUninstall())?.code ?? null;
const putRecord = (text: string): void => {
  const file = join(root, 'opt/ai-fabric-agent/upgrade.json');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
};

describe('an uninstall on Linux', () => {
  it('is root’s', async () => {
    expect(await refuse(false)).toBe('not_root');
    expect(await refuse()).toBeNull();
  });

  it('waits for an upgrade that is under way, and for none that nobody works on', async () => {
    putRecord(JSON.stringify(record));
    expect(await refuse()).toBe('upgrade_under_way');
    isFinishing = false;
    expect(await refuse()).toBeNull();
  });

  it('does not wait where nobody knows', async () => {
    putRecord('{');
    expect(await refuse()).toBeNull();
  });

  it('says what its owner set for the service, which stays', async () => {
    const folder = join(root, 'etc/systemd/system/ai-fabric-agent.service.d');
    mkdirSync(folder, { recursive: true });
    for (const name of ['50-container-engine.conf', 'override.conf']) writeFileSync(join(folder, name), '');
    expect(await openSystem(true).leftovers(false)).toContain(
      'settings of yours: /etc/systemd/system/ai-fabric-agent.service.d/override.conf',
    );
  });

  it('that purges knows of models in the agent’s own folder', async () => {
    const storage = '/var/lib/ai-fabric-agent/.local/share/containers';
    const within = (isRoot = true): Promise<string | null> => openSystem(isRoot).storageWithin();
    expect(await within()).toBeNull();
    mkdirSync(join(root, storage), { recursive: true });
    expect(await within()).toBeNull();
    mkdirSync(join(root, storage, 'storage/volumes'), { recursive: true });
    expect(await within()).toBe(storage);
    expect(await within(false)).toBeNull();
  });

  it('says what stays in the Podman of the agent’s own user, unless that goes too', async () => {
    const storage = '/var/lib/ai-fabric-agent/.local/share/containers';
    const told = async (purge: boolean): Promise<string> =>
      (await openSystem(true, () => Promise.resolve('996\n')).leftovers(purge)).join('\n');
    expect(await told(false)).not.toContain(storage);
    mkdirSync(join(root, storage, 'storage/volumes'), { recursive: true });
    expect(await told(false)).toContain(`sudo rm -r ${storage}`);
    expect(await told(true)).not.toContain(storage);
  });

  it('that purges does not take what it cannot look into for nothing', async () => {
    mkdirSync(join(root, 'var/lib/ai-fabric-agent/.local/share'), { recursive: true });
    writeFileSync(join(root, 'var/lib/ai-fabric-agent/.local/share/containers'), '');
    await expect(openSystem(true).storageWithin()).rejects.toThrow(/ENOTDIR/);
  });
});

describe('the service', () => {
  it.each([
    ['active', true],
    ['activating', true],
    ['inactive', false],
    ['failed', false],
    ['', false],
  ])('that systemd calls "%s" ran before: %s', async (state, ran) => {
    expect(await openSystem(true, () => Promise.resolve(`${state}\n`)).service.runs()).toBe(ran);
  });

  it('does not run where systemd does not answer', async () => {
    expect(await openSystem(true).service.runs()).toBe(false);
  });

  it('is started as it is, with its state given back to it', async () => {
    mkdirSync(join(root, 'var/lib/ai-fabric-agent'), { recursive: true });
    const ran: string[] = [];
    const own: Readonly<Record<string, number | undefined>> = {
      '-u': process.getuid?.(),
      '-g': process.getgid?.(),
    };
    await openSystem(true, (file, args) => {
      ran.push([file, ...args].join(' '));
      return Promise.resolve(String(own[args[0] ?? ''] || 1));
    }).service.start();
    expect(ran).toEqual([
      'id -u ai-fabric-agent',
      'id -g ai-fabric-agent',
      'systemctl start ai-fabric-agent.service',
    ]);
  });
});

describe('a new identity', () => {
  it('is joined with its own key, which is the host’s from then on', async () => {
    const certificate = await makeCertificate();
    const plane = await FakeControlPlane.start({ certificate });
    try {
      const folder = join(root, 'etc/ai-fabric-agent');
      for (const each of [folder, join(root, 'var/lib/ai-fabric-agent')]) {
        mkdirSync(each, { recursive: true, mode: 0o700 });
      }
      const publicKey = (): string => {
        const key = createPublicKey(readFileSync(join(folder, 'host-key.pem')));
        return key.export({ type: 'spki', format: 'der' }).toString('base64');
      };
      const token = formatJoinToken({
        ...{ id: 'abcdefgh', secret: 'x'.repeat(43), certificateSha256: certificate.sha256 },
      });
      const request: InstallRequest = {
        ...{ server: plane.url, token, name: null, release: null, engineAccess: null, dockerLogonTask: null },
        ...{ newIdentity: true, rejoin: false, allowDowngrade: false },
      };
      const system = openSystem(true, (_file, args) =>
        Promise.resolve(String((args[0] === '-u' ? process.getuid?.() : process.getgid?.()) || 1)),
      );
      const told = { tells: '', makes: [] } as const;
      await system.carryOut({ ...told, kind: 'store_key', anew: false }, request);
      const former = publicKey();

      await system.carryOut({ ...told, kind: 'store_key', anew: true }, request);
      expect(publicKey()).toBe(former);
      await system.carryOut({ ...told, kind: 'join', server: plane.url, rejoin: true }, request);

      const shown = plane.links.flatMap((link) => link.bodies('hello').map((hello) => hello.publicKey));
      expect(shown).toEqual([publicKey()]);
      expect(publicKey()).not.toBe(former);
    } finally {
      await plane.close();
    }
  });
});
