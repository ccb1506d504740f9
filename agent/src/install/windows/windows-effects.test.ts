import { access, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '@ai-fabric/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunTool } from '../../identity/run-tool.js';
import type { InstallRequest, Made } from '../install-steps.js';
import type { ProgramSource } from '../program-source.js';
import { carryOutWindowsStep } from './carry-out-windows-step.js';
import { EVENT_SOURCE_KEY, LOGON_TASK, UPGRADE_SERVICE, windowsPaths } from './decide/windows-paths.js';
import type { WindowsStep } from './decide/windows-steps.js';
import { lookAtWindows } from './look-at-windows.js';
import { removeWindowsMade } from './remove-windows-made.js';
import { serviceManager } from './service-manager.js';

const roots = {
  ...{ windows: 'C:\\Windows', programFiles: 'C:\\Program Files', programData: 'C:\\ProgramData' },
  localAppData: 'C:\\Users\\ada\\AppData\\Local',
};
const paths = windowsPaths(roots);
const request: InstallRequest = {
  ...{ server: null, token: null, name: null, release: null, engineAccess: null, dockerLogonTask: null },
  ...{ newIdentity: false, rejoin: false, allowDowngrade: false },
};
const program: ProgramSource = {
  ...{ ok: true, path: '/a', version: '1.0.0', sha256: 'ab', bytes: 1_000, beside: [], proof: 'signed' },
  builtAtMs: null,
};

let root: string;
let calls: string[];
/** What tools answer, by the first word that a call holds; others fail, as for what is not there. */
let answers: Record<string, string>;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'windows-'));
  calls = [];
  answers = {};
  await mkdir(locate('C:\\Program Files'), { recursive: true });
  await mkdir(locate('C:\\ProgramData'), { recursive: true });
  await mkdir(locate('C:\\Windows\\Temp'), { recursive: true });
});
afterEach(() => rm(root, { recursive: true, force: true }));

const locate = (path: string): string => join(root, ...path.replace(/^C:/, '').split('\\'));
const runTool: RunTool = (file, args) => {
  const call = [file.split('\\').at(-1), ...args].join(' ');
  calls.push(call);
  const known = Object.keys(answers).find((part) => call.includes(part));
  if (known === undefined) return Promise.reject(new Error(`S\0e\0r\0v\0 ${call} failed`));
  return Promise.resolve(answers[known] ?? '');
};
const service = serviceManager({ paths, runTool, clock: systemClock(), pause });
const effects = { roots, paths, locate, service, runTool };
const serviceOf = (name: string) => serviceManager({ name, paths, runTool, clock: systemClock(), pause });
const isThere = (path: string): Promise<boolean> =>
  access(locate(path)).then(
    () => true,
    () => false,
  );
const put = async (path: string, text = ''): Promise<void> => {
  await mkdir(dirname(locate(path)), { recursive: true });
  await writeFile(locate(path), text);
};
const carryOut = (
  step: WindowsStep,
  join_: () => Promise<string> = () => Promise.resolve('as armitage'),
  wish: Partial<InstallRequest> = {},
): Promise<string | null> => carryOutWindowsStep({ ...effects, join: join_ }, step, { ...request, ...wish });
const told = { tells: '', makes: [] } as const;
const entry = (image: string): string =>
  `    ImagePath    REG_EXPAND_SZ    "${image}"\r\n    Start    REG_DWORD    0x2\r\n`;

describe('a look at a Windows machine', () => {
  const look = () =>
    lookAtWindows({ ...effects, findProgram: () => Promise.resolve(program), user: 'M\\ada', nowMs: 1 });

  it('that has nothing finds nothing, and leaves nothing', async () => {
    expect(await look()).toMatchObject({
      ...{ elevation: 'elevated', record: null, serviceImage: null, linked: [], readOnly: [], joined: null },
      ...{ hasPolicy: false, hasKey: false, hasEventSource: false, dockerDesktop: null },
      ...{ hasEnginePipe: false, hasLogonTask: false, machineSha256: null, user: 'M\\ada' },
    });
    expect(await readdir(locate('C:\\ProgramData'))).toEqual([]);
    expect(await readdir(locate('C:\\Program Files'))).toEqual([]);
  });

  it('finds what is there', async () => {
    await put(paths.keyFile, 'key');
    await put(paths.policyFile, 'version: 1\n');
    await put(paths.dockerDesktops[0] ?? '');
    answers = {
      'whoami.exe /groups': 'S-1-16-12288',
      MachineGuid: '    MachineGuid    REG_SZ    01234567-89ab-cdef-0123-456789abcdef\r\n',
      [EVENT_SOURCE_KEY]: 'there',
      'Services\\ai-fabric-agent': entry(paths.wrapper),
    };
    expect(await look()).toMatchObject({
      ...{ elevation: 'elevated', serviceImage: paths.wrapper, hasPolicy: true, hasKey: true },
      ...{ hasEventSource: true, dockerDesktop: paths.dockerDesktops[0] },
      machineSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('finds Docker Desktop that is for whoever installs alone', async () => {
    const own = 'C:\\Users\\ada\\AppData\\Local\\Programs\\DockerDesktop\\Docker Desktop.exe';
    await put(own);
    expect(await look()).toMatchObject({ dockerDesktop: own, hasEnginePipe: false });
  });

  it.each(['docker_engine', 'dockerDesktopLinuxEngine'])('finds an engine by its pipe, %s', async (name) => {
    await put('\\\\.\\pipe\\other');
    expect((await look()).hasEnginePipe).toBe(false);
    await put(`\\\\.\\pipe\\${name}`);
    expect((await look()).hasEnginePipe).toBe(true);
  });

  it('believes Windows where it says that nobody agreed', async () => {
    answers = { 'whoami.exe /groups': 'S-1-16-8192' };
    expect(await look()).toMatchObject({ elevation: 'not_elevated', room: [] });
  });

  it('sees a link in the place of a folder', async () => {
    await symlink('/tmp', locate(paths.vendorFolder));
    expect((await look()).linked).toEqual([paths.vendorFolder]);
  });
});

describe('an install on Windows', () => {
  it('places what is not there, and lets be what is', async () => {
    const release = join(root, 'Zoë Müller');
    await mkdir(release);
    await writeFile(join(release, 'nssm.exe'), 'wrapper');
    await carryOut({
      ...told,
      kind: 'place_files',
      files: [join(release, 'nssm.exe')],
      folder: paths.programFolder,
    });
    expect(await readFile(locate(paths.wrapper), 'utf8')).toBe('wrapper');
    await carryOut({
      ...told,
      kind: 'place_files',
      files: [join(release, 'nssm.exe')],
      folder: paths.programFolder,
    });
    expect(await readdir(locate(paths.programFolder))).toEqual(['nssm.exe']);
  });

  it('makes the service where there is none, and sets it anew where there is', async () => {
    answers = { nssm: '', 'sc.exe failure': '' };
    await carryOut({ ...told, kind: 'set_service', program: 'C:\\p.exe' });
    expect(calls).toContain('nssm.exe install ai-fabric-agent C:\\p.exe run');
    expect(calls).toContain('nssm.exe set ai-fabric-agent AppRestartDelay 5000');
    calls = [];
    answers['Services\\ai-fabric-agent'] = entry(paths.wrapper);
    await carryOut({ ...told, kind: 'set_service', program: 'C:\\p.exe' });
    expect(calls.filter((call) => call.includes('nssm.exe install'))).toEqual([]);
    expect(calls).toContain('nssm.exe set ai-fabric-agent Application C:\\p.exe');
  });

  it('tells in letters what the wrapper says in UTF-16', async () => {
    await expect(carryOut({ ...told, kind: 'set_service', program: 'C:\\p.exe' })).rejects.toThrow(
      /^Serv nssm/,
    );
  });

  it('keeps the key that is there, and takes another where that is asked for and joins', async () => {
    answers = { icacls: '' };
    const wish = { newIdentity: true };
    const join_ = { ...told, kind: 'join', server: 'https://motoko:8443', rejoin: true } as const;
    await put(paths.keyFile.replace('host-key.pem', 'agent.json'), '{}');
    await carryOut({ ...told, kind: 'store_key', anew: false });
    const first = await readFile(locate(paths.keyFile), 'utf8');
    await carryOut({ ...told, kind: 'store_key', anew: false });
    expect(await readFile(locate(paths.keyFile), 'utf8')).toBe(first);
    await carryOut({ ...told, kind: 'store_key', anew: true });
    const failing = carryOut(join_, () => Promise.reject(new Error('The token was used.')), wish);
    await expect(failing).rejects.toThrow('The token was used.');
    expect(await readFile(locate(paths.keyFile), 'utf8')).toBe(first);
    expect(await isThere(`${paths.dataFolder}\\agent.json`)).toBe(true);
    await carryOut({ ...told, kind: 'store_key', anew: true });
    expect(await carryOut(join_, undefined, wish)).toBe('as armitage');
    expect(await readFile(locate(paths.keyFile), 'utf8')).not.toBe(first);
    expect(await isThere(`${paths.dataFolder}\\new-identity`)).toBe(false);
  });

  it('gives the task to schtasks in UTF-16, and leaves no file', async () => {
    let seen = '';
    await mkdir(locate(paths.dataFolder), { recursive: true });
    await carryOutWindowsStep(
      {
        ...effects,
        join: () => Promise.resolve(''),
        runTool: async (_file, args) => {
          seen = await readFile(locate(args[4] ?? ''), 'utf16le');
          return '';
        },
      },
      { ...told, kind: 'make_logon_task', account: 'M\\Zoë', program: 'C:\\d.exe' },
      request,
    );
    expect(seen).toContain('M\\Zoë');
    expect(await readdir(locate(paths.dataFolder))).toEqual([]);
  });
});

describe('the service manager', () => {
  const query = (state: string): string => `        STATE              : ${state}\r\n`;

  it('starts what is stopped, and waits until it runs', async () => {
    answers = { 'sc.exe query': query('4  RUNNING'), 'sc.exe start': '' };
    await service.start();
    expect(calls).not.toContain('sc.exe start ai-fabric-agent');
    answers = { 'sc.exe query': query('1  STOPPED'), 'sc.exe start': '' };
    setTimeout(() => {
      answers['sc.exe query'] = query('4  RUNNING');
    }, 100);
    await service.start();
    expect(calls).toContain('sc.exe start ai-fabric-agent');
  });

  it('stops nothing where nothing runs', async () => {
    await service.stop();
    answers = { 'sc.exe query': query('1  STOPPED') };
    await service.stop();
    expect(calls.filter((call) => call.includes('stop'))).toEqual([]);
  });
});

describe('what an install made', () => {
  let later: string[];
  const own = `${paths.versionsFolder}\\1-a\\ai-fabric-agent.exe`;
  const remove = (made: Omit<Made, 'kept'>, ownFile: string | null = null): Promise<void> =>
    removeWindowsMade(
      { ...effects, serviceOf, own: ownFile, removeLater: (file) => later.push(file) },
      { ...made, kept: false },
    );
  beforeEach(() => {
    later = [];
  });

  it('goes: the program, though it runs, by stepping aside', async () => {
    await put(own, 'program');
    await put(paths.wrapper);
    await put('C:\\Windows\\Temp\\ai-fabric-agent-1.exe', 'of an uninstall before');
    await remove({ kind: 'tree', what: paths.programFolder }, own);
    expect(await readdir(locate('C:\\Windows\\Temp'))).toHaveLength(1);
    expect(await isThere(paths.programFolder)).toBe(false);
    expect(later).toEqual([`C:\\Windows\\Temp\\ai-fabric-agent-${process.pid}.exe`]);
    expect(await readFile(locate(later[0] ?? ''), 'utf8')).toBe('program');
  });

  it('goes: the data, and the folder above where nothing else is in it', async () => {
    await put(paths.keyFile);
    await remove({ kind: 'tree', what: paths.dataFolder });
    expect(await isThere(paths.vendorFolder)).toBe(false);
    await put(paths.keyFile);
    await put(`${paths.vendorFolder}\\other\\file`);
    await remove({ kind: 'tree', what: paths.dataFolder });
    expect(await readdir(locate(paths.vendorFolder))).toEqual(['other']);
  });

  it('is no more than that, whatever a record says', async () => {
    await expect(remove({ kind: 'tree', what: 'C:\\Windows' })).rejects.toThrow('no folder of an agent');
    await expect(remove({ kind: 'registry', what: 'HKLM\\SOFTWARE' })).rejects.toThrow('no key of an agent');
    await expect(remove({ kind: 'task', what: 'Other' })).rejects.toThrow('no task of an agent');
    await expect(remove({ kind: 'service', what: 'Spooler' })).rejects.toThrow('no service of an agent');
    await expect(remove({ kind: 'file', what: 'C:\\a' })).rejects.toThrow('makes no file');
  });

  it('goes: service, key and task, where they are', async () => {
    answers = {
      ...{ 'Services\\ai-fabric-agent': entry(paths.wrapper), 'sc.exe delete': '', 'reg.exe delete': '' },
      ...{ [EVENT_SOURCE_KEY]: '', schtasks: '' },
    };
    await remove({ kind: 'service', what: 'ai-fabric-agent' });
    await remove({ kind: 'service', what: UPGRADE_SERVICE });
    await remove({ kind: 'registry', what: EVENT_SOURCE_KEY });
    await remove({ kind: 'task', what: LOGON_TASK });
    expect(calls).toContain('sc.exe delete ai-fabric-agent');
    expect(calls).toContain(`sc.exe delete ${UPGRADE_SERVICE}`);
    expect(calls).toContain(`reg.exe delete ${EVENT_SOURCE_KEY} /f`);
    expect(calls).toContain(`schtasks.exe /Delete /TN ${LOGON_TASK} /F`);
  });

  it('is not touched where it is gone, or somebody else’s by now', async () => {
    await remove({ kind: 'service', what: 'ai-fabric-agent' });
    answers = { 'Services\\ai-fabric-agent': entry('C:\\other.exe') };
    await remove({ kind: 'service', what: 'ai-fabric-agent' });
    await remove({ kind: 'registry', what: EVENT_SOURCE_KEY });
    await remove({ kind: 'task', what: LOGON_TASK });
    expect(calls.filter((call) => /delete/i.test(call))).toEqual([]);
  });
});
