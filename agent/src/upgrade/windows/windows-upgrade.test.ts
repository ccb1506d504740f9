import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunTool } from '../../identity/run-tool.js';
import { windowsPaths } from '../../install/windows/decide/windows-paths.js';
import { InstantClock } from '../testing/instant-clock.js';
import type { UpgradeRecord } from '../upgrade-record.js';
import { windowsUpgradePaths } from './upgrade-paths.js';
import { type WindowsUpgradeSystem, windowsUpgrade } from './windows-upgrade.js';

const roots = {
  ...{ windows: 'C:\\Windows', programFiles: 'C:\\Program Files', programData: 'C:\\ProgramData' },
  localAppData: null,
};
const paths = windowsPaths(roots);
const places = windowsUpgradePaths(paths);
const OLD = places.version('0.1.0-old');
const NEW = places.version('0.2.0-new');
const record: UpgradeRecord = {
  ...{ format: 1, stage: 'staged', manifestSha256: 'ab'.repeat(32), signed: true, reason: null, proofs: 0 },
  from: { version: '0.1.0', folder: OLD },
  to: { version: '0.2.0', folder: NEW },
  changedAtMs: 1,
};

let root: string;
let clock: InstantClock;
let calls: string[];
/** What the wrapper has of the agent's service. */
let application: string;
/** States of services, by name; one that is not here is absent. */
let states: Map<string, string>;
let tree: string | null;
let system: WindowsUpgradeSystem;

const locate = (path: string): string => join(root, ...path.replace(/^C:/, '').split('\\'));
const put = async (path: string, text = ''): Promise<void> => {
  await mkdir(dirname(locate(path)), { recursive: true });
  await writeFile(locate(path), text);
};
const NUMBERS: Readonly<Record<string, number>> = { STOPPED: 1, RUNNING: 4, PAUSED: 7 };

const runTool: RunTool = async (file, args) => {
  const tool = file.split('\\').at(-1) ?? file;
  const [verb = '', name = '', parameter = '', value = ''] = args;
  calls.push([tool, ...args].join(' '));
  if (tool === 'nssm.exe') return runWrapper(verb, name, parameter, value);
  if (tool === 'reg.exe') {
    if (states.has(name.split('\\').at(-1) ?? '')) return '    ImagePath    REG_SZ    x.exe\r\n';
    throw new Error('not found');
  }
  const state = states.get(name);
  if (state === undefined) throw new Error('1060');
  if (verb === 'start') states.set(name, 'RUNNING');
  if (verb === 'stop') states.set(name, 'STOPPED');
  return `        STATE              : ${NUMBERS[states.get(name) ?? '']}  ${states.get(name)}\r\n`;
};

function runWrapper(verb: string, name: string, parameter: string, value: string): string {
  if (verb === 'install') states.set(name, 'STOPPED');
  if (verb === 'get') return application;
  if (verb === 'processes' && tree === null) throw new Error('Access is denied');
  if (verb === 'processes') return tree ?? '';
  if (verb === 'set' && name === 'ai-fabric-agent' && parameter === 'Application') application = value;
  return '';
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'windows-upgrade-'));
  clock = new InstantClock();
  calls = [];
  application = `${OLD}\\ai-fabric-agent.exe\r\n`;
  states = new Map([['ai-fabric-agent', 'RUNNING']]);
  tree = '';
  const pause = (delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      clock.after(delayMs, resolve);
    });
  system = windowsUpgrade({ roots, locate, runTool, clock, pause });
  for (const folder of [OLD, NEW]) await put(`${folder}\\ai-fabric-agent.exe`, 'program');
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('the current version', () => {
  it('is what the wrapper starts, and last of all what changes', async () => {
    expect(await system.current()).toBe(OLD);
    await system.makeCurrent(NEW);
    expect(await system.current()).toBe(NEW);
    expect(calls.filter((call) => call.includes(' set '))).toEqual([
      `nssm.exe set ai-fabric-agent AppDirectory ${NEW}`,
      `nssm.exe set ai-fabric-agent Application ${NEW}\\ai-fabric-agent.exe`,
    ]);
  });

  it('is none where the service runs something else', async () => {
    application = 'C:\\other.exe';
    expect(await system.current()).toBeNull();
  });

  it('stays with what is kept; others, what was staged and what moved aside go', async () => {
    await put(`${places.version('0.0.9')}\\ai-fabric-agent.exe`);
    await put(`${places.staged}\\ai-fabric-agent.exe`);
    await put('C:\\Windows\\Temp\\ai-fabric-agent-12.exe');
    await put('C:\\Windows\\Temp\\other.exe');
    await system.keepOnly([NEW]);
    expect((await readdir(locate(paths.versionsFolder))).sort()).toEqual(['0.1.0-old', '0.2.0-new']);
    expect(await readdir(locate('C:\\Windows\\Temp'))).toEqual(['other.exe']);
    expect(await readdir(locate(paths.dataFolder))).toEqual([]);
  });
});

describe('an upgrade’s record', () => {
  it('is read as it was written, and there is none before', async () => {
    expect(await system.readRecord()).toBeNull();
    await system.writeRecord(record);
    expect(await system.readRecord()).toEqual(record);
    await put(places.record, '{');
    await expect(system.readRecord()).rejects.toThrow('is damaged');
  });
});

describe('who finishes an upgrade', () => {
  it('is a service of the version before, noted so that an uninstall removes it', async () => {
    const installed = { format: 1, version: '0.1.0', machineSha256: null, engineAccess: 'group' };
    await put(paths.recordFile, JSON.stringify({ ...installed, finished: true, made: [] }));
    await system.arm(record);
    await system.arm(record);
    expect(calls.filter((call) => call.startsWith('nssm.exe install'))).toHaveLength(1);
    expect(calls).toContain(`nssm.exe set ai-fabric-agent-upgrade Application ${OLD}\\ai-fabric-agent.exe`);
    await system.noteVersion('0.2.0');
    expect(JSON.parse(await readFile(locate(paths.recordFile), 'utf8'))).toMatchObject({
      version: '0.2.0',
      made: [{ kind: 'service', what: 'ai-fabric-agent-upgrade', kept: false }],
    });
    await system.disarm();
    expect(calls.at(-1)).toBe('nssm.exe set ai-fabric-agent-upgrade Start SERVICE_DEMAND_START');
  });

  it('is started where it rests, and let be where it works', async () => {
    await expect(system.startFinishing()).rejects.toThrow('1060');
    states.set('ai-fabric-agent-upgrade', 'STOPPED');
    expect(await system.isFinishing()).toBe(false);
    await system.startFinishing();
    expect(await system.isFinishing()).toBe(true);
    calls = [];
    await system.startFinishing();
    expect(calls.filter((call) => call.includes('start'))).toEqual([]);
  });

  it('is started anew where an earlier one is on its way out', async () => {
    states.set('ai-fabric-agent-upgrade', 'RUNNING');
    clock.after(0, () => states.set('ai-fabric-agent-upgrade', 'STOPPED'));
    await system.startFinishing();
    expect(calls).toContain('sc.exe start ai-fabric-agent-upgrade');
  });

  it('of which there is none need not be disarmed', async () => {
    await system.disarm();
    expect(calls.filter((call) => call.includes('set'))).toEqual([]);
  });
});

describe('what runs', () => {
  const running = (pid: number): string => `   8 C:\\nssm.exe\r\n  ${pid}   ${NEW}\\ai-fabric-agent.exe\r\n`;

  it('is the process that the wrapper keeps, and how often it ended since it was started', async () => {
    tree = running(7);
    expect(await system.service()).toEqual({ pid: 7, restarts: 0 });
    tree = running(9);
    expect(await system.service()).toEqual({ pid: 9, restarts: 1 });
    tree = null;
    expect(await system.service()).toEqual({ pid: 9, restarts: 1 });
    await system.restart();
    expect(calls).toEqual(
      expect.arrayContaining(['sc.exe stop ai-fabric-agent', 'sc.exe start ai-fabric-agent']),
    );
    tree = '';
    expect(await system.service()).toEqual({ pid: null, restarts: 0 });
  });

  it('says how it is', async () => {
    expect(await system.health()).toBeNull();
    const health = { version: '0.2.0', pid: 3, linkedSinceMs: null };
    await put(places.health, JSON.stringify(health));
    expect(await system.health()).toEqual(health);
  });
});
