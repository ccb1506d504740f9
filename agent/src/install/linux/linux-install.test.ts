import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAgentConfig } from '../../config/read-agent-config.js';
import type { RunTool } from '../../identity/run-tool.js';
import type { UpgradeRecord } from '../../upgrade/upgrade-record.js';
import type { InstallSystem } from '../install-steps.js';
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
const openSystem = (isRoot: boolean): InstallSystem =>
  linuxInstall({
    ...{ root, isRoot, runTool, clock: systemClock(), random: () => 0, log: pino({ level: 'silent' }) },
    readConfig: () => readAgentConfig({}, {}),
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

  it('that purges does not take what it cannot look into for nothing', async () => {
    mkdirSync(join(root, 'var/lib/ai-fabric-agent/.local/share'), { recursive: true });
    writeFileSync(join(root, 'var/lib/ai-fabric-agent/.local/share/containers'), '');
    await expect(openSystem(true).storageWithin()).rejects.toThrow(/ENOTDIR/);
  });
});
