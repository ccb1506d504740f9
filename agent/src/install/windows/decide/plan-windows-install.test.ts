import { describe, expect, it, test } from 'vitest';
import type { InstallRequest } from '../../install-steps.js';
import type { ProgramSource } from '../../program-source.js';
import { planWindowsInstall } from './plan-windows-install.js';
import type { WindowsFacts } from './windows-facts.js';
import { windowsPaths } from './windows-paths.js';

const BUILT_MS = Date.parse('2026-11-29T00:00:00Z');
const RELEASE = 'C:\\Users\\Zoë Müller\\AppData\\Local\\Temp\\release';
const DATA = 'C:\\ProgramData\\AI Fabric\\agent';
const DESKTOP = 'C:\\Program Files\\Docker\\Docker\\Docker Desktop.exe';
const PROGRAMS = 'C:\\Program Files\\AI Fabric Agent';

const paths = windowsPaths({
  windows: 'C:\\Windows',
  programFiles: 'C:\\Program Files',
  programData: 'C:\\ProgramData',
  localAppData: 'C:\\Users\\Zoë Müller\\AppData\\Local',
});

const program: Extract<ProgramSource, { ok: true }> = {
  ...{
    ok: true,
    path: `${RELEASE}\\ai-fabric-agent.exe`,
    version: '0.2.0',
    sha256: 'ab'.repeat(32),
    bytes: 90_000_000,
  },
  beside: [`${RELEASE}\\manifest.json`, `${RELEASE}\\manifest.sig`, `${RELEASE}\\nssm.exe`],
  ...{ proof: 'signed', builtAtMs: BUILT_MS },
};

const bare: WindowsFacts = {
  ...{ elevation: 'elevated', program, serviceImage: null, linked: [], readOnly: [], hasPolicy: false },
  ...{
    hasKey: false,
    hasEventSource: false,
    dockerDesktop: DESKTOP,
    hasEnginePipe: true,
    hasLogonTask: false,
    user: 'Zoë',
    userSid: 'S-1-5-21-1-2-3-1001',
  },
  ...{ room: [], record: null, joined: null, joinedFault: null, machineSha256: '11'.repeat(32) },
  nowMs: BUILT_MS + 3_600_000,
};

const wish: InstallRequest = {
  ...{ server: 'https://motoko:8443', token: 'aifj_x', name: null, release: RELEASE, engineAccess: null },
  ...{ dockerLogonTask: null, newIdentity: false, rejoin: false, allowDowngrade: false },
};

const installed: WindowsFacts = {
  ...bare,
  ...{ serviceImage: paths.wrapper, hasPolicy: true, hasKey: true, hasEventSource: true },
  joined: { serverUrl: 'https://motoko:8443', hostName: 'armitage' },
  record: {
    ...{ format: 1, version: '0.1.0', machineSha256: '11'.repeat(32), engineAccess: 'group', finished: true },
    made: [],
  },
};

const plan = (facts: Partial<WindowsFacts> = {}, request: Partial<InstallRequest> = {}) => {
  const made = planWindowsInstall(paths, { ...bare, ...facts }, { ...wish, ...request });
  if (!made.ok) throw new Error(made.refusals.map(({ detail }) => detail).join());
  return made;
};
const kinds = (...args: Parameters<typeof plan>): string[] => plan(...args).steps.map(({ kind }) => kind);
const refusals = (facts: Partial<WindowsFacts> = {}, request: Partial<InstallRequest> = {}): string[] => {
  const made = planWindowsInstall(paths, { ...bare, ...facts }, { ...wish, ...request });
  return made.ok ? [] : made.refusals.map(({ code }) => code);
};

it('joins before it places anything: a token can be refused', () => {
  expect(kinds()).toEqual([
    ...['protect_folder', 'protect_folder', 'make_folder', 'store_key', 'join'],
    ...['make_folder', 'place_files', 'place_files', 'write_file'],
    ...['write_file', 'set_service', 'start_service'],
  ]);
});

it('names all that it makes, and what of it is its owner’s', () => {
  expect(plan().steps.flatMap(({ makes }) => makes)).toEqual([
    { kind: 'tree', what: DATA, kept: true },
    { kind: 'tree', what: PROGRAMS, kept: false },
    { kind: 'service', what: 'ai-fabric-agent', kept: false },
    {
      ...{ kind: 'registry', kept: false },
      what: 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\NSSM',
    },
  ]);
});

it('guards the folder above before anything lies in it, and lets others read there', () => {
  expect(plan().steps.slice(0, 2)).toMatchObject([
    { path: 'C:\\ProgramData\\AI Fabric', use: 'readable', makes: [] },
    { path: DATA, use: 'private' },
  ]);
});

it('places the program, its manifest and the wrapper', () => {
  const folder = `${PROGRAMS}\\versions\\0.2.0-abababababab`;
  const { steps } = plan();
  expect(steps.filter(({ kind }) => kind === 'place_files')).toMatchObject([
    { files: [...program.beside, program.path], folder },
    { files: [`${RELEASE}\\nssm.exe`], folder: PROGRAMS },
  ]);
  expect(steps.find(({ kind }) => kind === 'set_service')).toMatchObject({
    program: `${folder}\\ai-fabric-agent.exe`,
  });
});

it('leaves a command for people, which asks the wrapper for the version', () => {
  const command = plan().steps.find((step) => step.kind === 'write_file' && step.path.endsWith('.cmd'));
  expect(command).toMatchObject({
    path: `${PROGRAMS}\\ai-fabric-agent.cmd`,
    text: expect.stringContaining('Services\\ai-fabric-agent\\Parameters /v Application\') do @"%%b" %*\r\n'),
  });
});

describe('a clock', () => {
  const told = (now: string): string | undefined =>
    plan({ nowMs: Date.parse(now) }).notes.find((note) => note.includes('clock of this machine'));

  it.each(['1970-01-01', '2016-03-01', '2026-11-26', '2047-01-01'])(
    'that says %s is told of, with what mends it',
    (now) => {
      expect(told(now)).toContain(`says ${now}, which cannot be`);
      expect(told(now)).toMatch(/Set-Date .* w32tm \/resync/);
    },
  );

  it.each(['2026-11-28', '2026-12-24', '2040-01-01'])('that says %s may be right', (now) => {
    expect(told(now)).toBeUndefined();
  });
});

describe('run again', () => {
  it('stops the service first, keeps key, settings and identity, and needs no token', () => {
    const again = kinds(installed, { server: null, token: null });
    expect(again[0]).toBe('stop_service');
    expect(again).not.toContain('join');
    const { steps } = plan(installed, { server: null, token: null });
    expect(steps.filter((step) => step.kind === 'write_file' && step.path.endsWith('agent.yaml'))).toEqual(
      [],
    );
    expect(steps).toContainEqual(expect.objectContaining({ kind: 'store_key', anew: false }));
  });

  it('is told apart from an event source that others made', () => {
    const made = plan(installed).steps.flatMap(({ makes }) => makes.map(({ kind }) => kind));
    expect(made).not.toContain('registry');
  });

  it('writes anew what was joined where that is damaged, when it may join anew', () => {
    const damaged = { ...installed, joined: null, joinedFault: 'agent.json is damaged.' };
    expect(refusals(damaged)).toEqual(['damaged_state']);
    const { steps } = plan(damaged, { rejoin: true });
    expect(steps.map(({ kind }) => kind).join(' ')).toMatch(/^stop_service .*store_key join/);
    expect(steps).toContainEqual(expect.objectContaining({ kind: 'join', rejoin: true }));
  });

  it('gives a copied disk an identity of its own where that is asked for', () => {
    const copied = { ...installed, machineSha256: '22'.repeat(32) };
    expect(refusals(copied)).toEqual(['cloned_machine']);
    const { steps } = plan(copied, { newIdentity: true });
    expect(steps).toContainEqual(expect.objectContaining({ kind: 'store_key', anew: true }));
    expect(steps).toContainEqual(expect.objectContaining({ kind: 'join', rejoin: true }));
  });
});

describe('Docker Desktop at sign-in', () => {
  it('has a task of whoever installs, where they agree', () => {
    expect(plan({}, { dockerLogonTask: true }).steps).toContainEqual(
      expect.objectContaining({
        ...{ kind: 'make_logon_task', account: 'S-1-5-21-1-2-3-1001', program: DESKTOP },
        makes: [{ kind: 'task', what: 'AI Fabric Agent - Docker Desktop', kept: false }],
      }),
    );
  });
  it('may be of one user alone', () => {
    const program = 'C:\\Users\\Zoë Müller\\AppData\\Local\\Programs\\DockerDesktop\\Docker Desktop.exe';
    expect(paths.dockerDesktops).toEqual([DESKTOP, program]);
    const { steps } = plan({ dockerDesktop: program }, { dockerLogonTask: true });
    expect(steps).toContainEqual(expect.objectContaining({ kind: 'make_logon_task', program }));
  });
  it('is not called missing where its engine runs for somebody else', () => {
    const facts = { dockerDesktop: null, hasEnginePipe: true };
    expect(plan(facts).notes.join()).toMatch(/An engine runs .* "Start Docker Desktop when you sign in"/);
    expect(plan(facts).notes.join()).not.toMatch(/is installed neither/);
    const asked = planWindowsInstall(paths, { ...bare, ...facts }, { ...wish, dockerLogonTask: true });
    if (asked.ok) throw new Error('it is not refused');
    expect(asked.refusals).toMatchObject([{ code: 'docker_desktop_missing' }]);
    expect(asked.refusals[0]?.detail).toMatch(/though an engine runs/);
  });
  it('has none unasked, and says how to have one', () => {
    expect(kinds()).not.toContain('make_logon_task');
    expect(plan().notes.join()).toContain('--docker-logon-task');
    expect(plan({ hasLogonTask: true }).notes.join()).not.toContain('--docker-logon-task');
  });
  it('has none any more where that is asked for', () => {
    expect(kinds({ hasLogonTask: true }, { dockerLogonTask: false })).toContain('remove_logon_task');
    expect(kinds({}, { dockerLogonTask: false })).not.toContain('remove_logon_task');
  });
});

describe('what it is refused for', () => {
  test.each<[string, Partial<WindowsFacts>, Partial<InstallRequest>, string[]]>([
    [
      'who is no administrator, and nothing else',
      { elevation: 'not_elevated', linked: ['x'] },
      {},
      ['not_elevated'],
    ],
    ['who cannot be told to be one', { elevation: 'unknown' }, {}, ['not_elevated']],
    ['a service of others', { serviceImage: 'C:\\other\\agent.exe' }, {}, ['service_taken']],
    ['a link in the place of a folder', { linked: [DATA] }, {}, ['folder_taken']],
    ['a disk that cannot be written to', { readOnly: ['C:\\Program Files'] }, {}, ['read_only']],
    ['a full disk', { room: [{ path: 'C:\\ProgramData', freeBytes: 1, neededBytes: 2 }] }, {}, ['no_space']],
    ['a release without the wrapper', { program: { ...program, beside: [] } }, {}, ['program_missing']],
    [
      'a release that is not taken',
      { program: { ok: false, code: 'release_refused', detail: 'tampered', fix: 'again' } },
      {},
      ['release_refused'],
    ],
    [
      'a task for what is not there',
      { dockerDesktop: null, hasEnginePipe: false },
      { dockerLogonTask: true },
      ['docker_desktop_missing'],
    ],
    ['no server and no token', {}, { server: null, token: null }, ['server_needed', 'token_needed']],
    ['another control plane', installed, { server: 'https://other:8443' }, ['joined_elsewhere']],
  ])('%s', (_what, facts, request, codes) => expect(refusals(facts, request)).toEqual(codes));

  it('tells what mends it, each time', () => {
    const made = planWindowsInstall(
      paths,
      { ...bare, serviceImage: 'x.exe', linked: [DATA], readOnly: ['C:\\'], dockerDesktop: null },
      { ...wish, dockerLogonTask: true, token: null },
    );
    if (made.ok) throw new Error('it is not refused');
    for (const { fix } of made.refusals) expect(fix).not.toBe('');
  });

  it('a service of ours is none of these, in whatever case its path is written', () =>
    expect(refusals({ serviceImage: paths.wrapper.toUpperCase() })).toEqual([]));
});

it('says what its owner should know', () => {
  const notes = plan({
    program: { ...program, proof: 'development_build' },
    ...{ dockerDesktop: null, hasEnginePipe: false },
    nowMs: 0,
  }).notes.join('\n');
  expect(notes).toMatch(/not signed/);
  expect(notes).toMatch(/SYSTEM/);
  expect(notes).toMatch(/Docker Desktop is installed neither/);
  expect(notes).toMatch(/w32tm/);
});

it('is refused for an older version than the one that is here, unless that is asked for', () => {
  const record = installed.record && {
    ...installed.record,
    ...{ version: '0.9.0', made: [{ kind: 'tree', what: PROGRAMS, kept: false } as const] },
  };
  expect(refusals({ ...installed, record }, { server: null, token: null })).toEqual(['older_version']);
  expect(kinds({ ...installed, record }, { allowDowngrade: true })).toContain('place_files');
});
