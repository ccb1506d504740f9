import { describe, expect, it, test } from 'vitest';
import { chooseOldLogs } from './choose-old-logs.js';
import { judgeElevation, parseUserSid } from './judge-elevation.js';
import { isSamePath, parseServiceEntry, parseServiceState } from './parse-service.js';
import { configureServiceCalls, makeServiceCall } from './service-arguments.js';
import { windowsPaths } from './windows-paths.js';
import { encodeTask, writeLogonTask } from './write-logon-task.js';

const paths = windowsPaths({
  windows: 'C:\\Windows',
  programFiles: 'C:\\Program Files',
  programData: 'C:\\ProgramData',
  localAppData: null,
});
const PROGRAM = 'C:\\Program Files\\AI Fabric Agent\\versions\\0.1.0-ab\\ai-fabric-agent.exe';

describe('what `sc query` prints', () => {
  const english = (state: string): string =>
    `\r\nSERVICE_NAME: ai-fabric-agent \r\n        TYPE               : 10  WIN32_OWN_PROCESS  \r\n        STATE              : ${state} \r\n                                (STOPPABLE, PAUSABLE)\r\n        WIN32_EXIT_CODE    : 0  (0x0)\r\n`;
  test.each([
    ['1  STOPPED', 'stopped'],
    ['2  START_PENDING', 'start_pending'],
    ['3  STOP_PENDING', 'stop_pending'],
    ['4  RUNNING', 'running'],
    ['5  CONTINUE_PENDING', 'continue_pending'],
    ['6  PAUSE_PENDING', 'pause_pending'],
    ['7  PAUSED', 'paused'],
  ])('%s', (state, parsed) => expect(parseServiceState(english(state))).toBe(parsed));

  it('is understood in another language', () => {
    const german =
      'SERVICE_NAME: ai-fabric-agent\r\n        TYP                : 10  WIN32_OWN_PROCESS\r\n        STATUS             : 4  RUNNING\r\n';
    expect(parseServiceState(german)).toBe('running');
  });

  it.each(['', '[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\r\n', 'STATE : 9 ODD'])(
    '%j is no service',
    (text) => expect(parseServiceState(text)).toBe('absent'),
  );
});

describe('a service in the registry', () => {
  const entry = (image: string, start = '0x2'): string =>
    `\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\ai-fabric-agent\r\n    Type    REG_DWORD    0x10\r\n    Start    REG_DWORD    ${start}\r\n    ImagePath    REG_EXPAND_SZ    ${image}\r\n    DisplayName    REG_SZ    AI Fabric agent\r\n\r\n`;
  test.each([
    ['"C:\\Program Files\\AI Fabric Agent\\nssm.exe"', 'C:\\Program Files\\AI Fabric Agent\\nssm.exe'],
    ['"C:\\Größe\\a.exe" -k x', 'C:\\Größe\\a.exe'],
    ['C:\\Program Files\\Odd\\a.exe run', 'C:\\Program Files\\Odd\\a.exe'],
    ['C:\\Windows\\system32\\svchost.exe -k netsvcs -p', 'C:\\Windows\\system32\\svchost.exe'],
    ['\\SystemRoot\\System32\\drivers\\x.sys', '\\SystemRoot\\System32\\drivers\\x.sys'],
  ])('%s runs %s', (image, program) => expect(parseServiceEntry(entry(image)).image).toBe(program));

  test.each([
    ['0x2', true],
    ['0x3', false],
    ['0x4', false],
  ])('starts with the machine by %s: %s', (start, isAutomatic) =>
    expect(parseServiceEntry(entry('"a.exe"', start)).isAutomatic).toBe(isAutomatic),
  );

  it('has nothing where nothing is told', () =>
    expect(parseServiceEntry('')).toEqual({ image: null, isAutomatic: false }));

  it('has a path in any case', () => {
    expect(isSamePath('c:\\program files\\ai fabric agent\\NSSM.EXE', paths.wrapper)).toBe(true);
    expect(isSamePath('c:\\program files\\nssm.exe', paths.wrapper)).toBe(false);
  });
});

describe('what the service is made of', () => {
  const calls = configureServiceCalls(paths, PROGRAM);
  const setting = (name: string): readonly string[] | undefined =>
    calls.find(([file, args]) => file === paths.wrapper && args[2] === name)?.[1].slice(3);

  it('is made by the wrapper, and runs `run`', () =>
    expect(makeServiceCall(paths, PROGRAM)).toEqual([
      'C:\\Program Files\\AI Fabric Agent\\nssm.exe',
      ['install', 'ai-fabric-agent', PROGRAM, 'run'],
    ]));

  test.each([
    ['Application', [PROGRAM]],
    ['AppParameters', ['run']],
    [
      'AppEnvironmentExtra',
      ['AI_FABRIC_AGENT_STATE=C:\\ProgramData\\AI Fabric\\agent', 'AI_FABRIC_AGENT_HELPER=nssm'],
    ],
    ['Start', ['SERVICE_AUTO_START']],
    ['AppExit', ['Default', 'Restart']],
    ['AppRestartDelay', ['5000']],
    ['AppStopMethodConsole', ['10000']],
    ['AppStdout', ['C:\\ProgramData\\AI Fabric\\agent\\logs\\agent.log']],
    ['AppRotateBytes', ['10485760']],
    ['ObjectName', ['LocalSystem']],
  ])('has %s %j', (name, values) => expect(setting(name)).toEqual(values));

  it('comes back when the wrapper itself dies', () =>
    expect(calls.at(-1)).toEqual([
      'C:\\Windows\\System32\\sc.exe',
      ['failure', 'ai-fabric-agent', 'reset=', '86400', 'actions=', 'restart/5000/restart/5000/restart/5000'],
    ]));

  it('has no argument that the wrapper would take apart', () => {
    for (const [, args] of calls) for (const each of args) expect(each).not.toContain('"');
  });
});

test.each([
  ['Mandatory Label\\High Mandatory Level  Label  S-1-16-12288', 'elevated'],
  ['Verbindliche Beschriftung\\Systemverbindlichkeitsstufe  Bezeichnung  S-1-16-16384', 'elevated'],
  ['Mandatory Label\\Medium Mandatory Level  Label  S-1-16-8192', 'not_elevated'],
  ['BUILTIN\\Administrators  Alias  S-1-5-32-544  Group used for deny only', 'unknown'],
  ['MOTOKO\\ada', 'unknown'],
  ['', 'unknown'],
])('`whoami /groups` saying %j is %s', (groups, elevation) => expect(judgeElevation(groups)).toBe(elevation));

test.each([
  [
    'motoko\\zoë S-1-5-21-1004336348-1177238915-682003330-1001',
    'S-1-5-21-1004336348-1177238915-682003330-1001',
  ],
  ['azuread\\zoë S-1-12-1-1-2-3-4', 'S-1-12-1-1-2-3-4'],
  ['nt authority\\system S-1-5-18', null],
  ['VM\\root', null],
])('`whoami /user` saying %j is %s', (user, sid) => expect(parseUserSid(user)).toBe(sid));

describe('the task at sign-in', () => {
  const xml = writeLogonTask('MOTOKO\\Ada & Zoë', 'C:\\Program Files\\Docker\\Docker\\Docker Desktop.exe');
  it('is of one user, with no more rights than theirs', () => {
    expect(xml.match(/<UserId>MOTOKO\\Ada &amp; Zoë<\/UserId>/g)).toHaveLength(2);
    expect(xml).toContain('<RunLevel>LeastPrivilege</RunLevel>');
    expect(xml).toContain('<LogonType>InteractiveToken</LogonType>');
  });
  it('ends neither after three days nor on battery', () => {
    expect(xml).toContain('<ExecutionTimeLimit>PT0S</ExecutionTimeLimit>');
    expect(xml).toContain('<DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>');
  });
  it('has the priority of what a person starts', () => {
    expect(xml).toContain('<Priority>4</Priority>\n  </Settings>');
  });
  it('is in UTF-16 with its mark, as it says itself', () => {
    const bytes = encodeTask(xml);
    expect([...bytes.subarray(0, 4)]).toEqual([0xff, 0xfe, 0x3c, 0x00]);
    expect(bytes.toString('utf16le')).toContain('Zoë');
  });
});

it('keeps the newest logs, the one that is written, and what is no log of the wrapper', () => {
  const old = [
    'agent-20261101T000000.000.log',
    'agent-20261102T000000.000.log',
    'agent-20261103T000000.000.log',
  ];
  const names = [...old, 'agent.log', 'agent-notes.log', 'other.txt'].reverse();
  expect(chooseOldLogs(names, 2)).toEqual(['agent-20261101T000000.000.log']);
  expect(chooseOldLogs(names, 5)).toEqual([]);
});
