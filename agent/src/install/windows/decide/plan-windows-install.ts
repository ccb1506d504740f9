import { ownCommand } from '../../../own-command.js';
import { clockNotes } from '../../decide/clock-notes.js';
import { joinRefusals, roomRefusals, versionRefusals } from '../../decide/find-refusals.js';
import { policyText } from '../../decide/policy-text.js';
import { proofNotes } from '../../decide/proof-notes.js';
import type { InstallPlan, InstallRefusal, InstallRequest, Made } from '../../install-steps.js';
import type { ProgramSource } from '../../program-source.js';
import { COMMAND_TEXT } from './command-text.js';
import { isSamePath } from './parse-service.js';
import type { WindowsFacts } from './windows-facts.js';
import {
  EVENT_SOURCE_KEY,
  LOGON_TASK,
  nameOf,
  PROGRAM_NAME,
  SERVICE,
  type WindowsPaths,
  WRAPPER_NAME,
} from './windows-paths.js';
import type { WindowsStep } from './windows-steps.js';

/** By itself Windows refuses a step of more than some hours. */
const CLOCK_FIX =
  'Set-Date "2026-12-24 18:00" with the right time, then Start-Service w32time; w32tm /resync';

/** Where an engine runs that whoever installs cannot start. */
const OWN_START =
  'Leave --docker-logon-task out, and tick "Start Docker Desktop when you sign in" in the settings of whoever uses it.';

type FoundProgram = Extract<ProgramSource, { ok: true }>;

/** What an install does here, in order, or why it does nothing. Asked again after it was done, it is the same. */
export function planWindowsInstall(
  paths: WindowsPaths,
  facts: WindowsFacts,
  request: InstallRequest,
): InstallPlan<WindowsStep> {
  const refusals = findRefusals(paths, facts, request);
  const { program } = facts;
  if (refusals.length > 0 || !program.ok) return { ok: false, refusals };
  return {
    ok: true,
    steps: [
      ...foundation(paths, facts),
      ...identity(paths, facts, request),
      ...placement(paths, program),
      ...settings(paths, facts, program),
      ...logonTask(facts, request),
      { kind: 'start_service', tells: 'Start the agent, now and at every boot', makes: [] },
    ],
    facts: { version: program.version, machineSha256: facts.machineSha256, engineAccess: 'group' },
    notes: notesOf(facts, request, program),
  };
}

function findRefusals(paths: WindowsPaths, facts: WindowsFacts, request: InstallRequest): InstallRefusal[] {
  const { elevation, program, serviceImage, linked, readOnly, room } = facts;
  const refusals: InstallRefusal[] = [];
  const refuse = (code: InstallRefusal['code'], detail: string, fix: string): void => {
    refusals.push({ code, detail, fix });
  };
  // Nothing else is known for sure by who is no administrator.
  if (elevation !== 'elevated') {
    const fix = 'Open PowerShell by "Run as administrator", and run it there.';
    return [
      { code: 'not_elevated', detail: 'An install makes a service, which only an administrator may.', fix },
    ];
  }
  if (!program.ok) refuse(program.code, program.detail, program.fix);
  else if (wrapperOf(program) === null) {
    const detail = `${WRAPPER_NAME}, which makes a service of the agent, is not in a release beside ${program.path}.`;
    refuse('program_missing', detail, 'In the folder of a release, unpacked: .\\ai-fabric-agent.exe install');
  }
  if (program.ok) refusals.push(...versionRefusals(facts.record, program.version, request));
  if (serviceImage !== null && !isSamePath(serviceImage, paths.wrapper)) {
    const detail = `There is a service ${SERVICE} that no install of ours made: it runs ${serviceImage}.`;
    refuse(
      'service_taken',
      detail,
      `See what it is (sc.exe qc ${SERVICE}), and remove it: sc.exe delete ${SERVICE}`,
    );
  }
  for (const folder of linked) {
    const fix = 'Remove that link: whoever made it could lead the agent’s key somewhere else.';
    refuse('folder_taken', `${folder} is a link to another folder.`, fix);
  }
  for (const folder of readOnly) {
    refuse(
      'read_only',
      `${folder} cannot be written to.`,
      'See who may write there: icacls, or its disk’s state.',
    );
  }
  if (request.dockerLogonTask === true && facts.dockerDesktop === null) {
    const places = `Docker Desktop is not at ${paths.dockerDesktops.join(', nor at ')}`;
    // It is somebody else's, or in a folder of its own: which program starts it for whom cannot be told from its pipe.
    if (facts.hasEnginePipe) refuse('docker_desktop_missing', `${places}, though an engine runs.`, OWN_START);
    else {
      const fix = 'Install Docker Desktop first, or leave --docker-logon-task out.';
      refuse('docker_desktop_missing', `${places}.`, fix);
    }
  }
  const full = roomRefusals(room, (path) => `dir "${path}"`);
  return [...refusals, ...full, ...joinRefusals(facts, request)];
}

/** Where the agent keeps what it is: first of all, since a token can be refused. */
function foundation(paths: WindowsPaths, { serviceImage }: WindowsFacts): WindowsStep[] {
  const { vendorFolder, dataFolder, logFolder } = paths;
  return [
    // Files of a service that runs cannot be replaced.
    ...(serviceImage === null
      ? []
      : [{ kind: 'stop_service', tells: 'Stop the agent that runs', makes: [] } as const]),
    // Whoever owned the one above could put another in the place of the agent's: it is guarded before anything lies in it.
    {
      ...{ kind: 'protect_folder', path: vendorFolder, use: 'readable', makes: [] },
      tells: `Make ${vendorFolder}, where that of the agent lies: for administrators alone to write to`,
    },
    {
      ...{ kind: 'protect_folder', path: dataFolder, use: 'private' },
      tells: `Make ${dataFolder} for its settings, its key and what it remembers: for SYSTEM and administrators alone`,
      makes: [kept('tree', dataFolder)],
    },
    { kind: 'make_folder', path: logFolder, tells: `Make ${logFolder} for its log`, makes: [] },
  ];
}

function identity(
  { keyFile }: WindowsPaths,
  facts: WindowsFacts,
  { server, newIdentity, rejoin }: InstallRequest,
): WindowsStep[] {
  const key: WindowsStep = {
    ...{ kind: 'store_key', anew: newIdentity, makes: [] },
    tells: newIdentity
      ? `Make a new key, which becomes ${keyFile} once it has joined`
      : facts.hasKey
        ? `Keep the key in ${keyFile}`
        : `Store the key in ${keyFile}`,
  };
  if (facts.joined !== null && !newIdentity && !rejoin) return [key];
  const to = server ?? facts.joined?.serverUrl ?? '';
  return [
    key,
    {
      ...{ kind: 'join', server: to, rejoin: rejoin || newIdentity },
      ...{ tells: `Join ${to}, whose certificate the token pins`, makes: [] },
    },
  ];
}

function placement(paths: WindowsPaths, program: FoundProgram): WindowsStep[] {
  const { programFolder, versionsFolder, wrapper, command } = paths;
  const folder = versionFolder(paths, program);
  return [
    {
      ...{ kind: 'make_folder', path: versionsFolder },
      ...{ tells: `Make ${programFolder} for the program`, makes: [gone('tree', programFolder)] },
    },
    {
      ...{ kind: 'place_files', files: [...program.beside, program.path], folder },
      ...{ tells: `Place version ${program.version} in ${folder}`, makes: [] },
    },
    {
      ...{ kind: 'place_files', files: [wrapperOf(program) ?? ''], folder: programFolder },
      ...{ tells: `Place ${wrapper}, which makes a service of it`, makes: [] },
    },
    {
      ...{ kind: 'write_file', path: command, text: COMMAND_TEXT },
      ...{ tells: `Write ${command}, which starts the version that runs by hand`, makes: [] },
    },
  ];
}

function settings(paths: WindowsPaths, facts: WindowsFacts, program: FoundProgram): WindowsStep[] {
  const { policyFile } = paths;
  const policy: WindowsStep = {
    ...{ kind: 'write_file', path: policyFile, text: policyText(`Restart-Service ${SERVICE}`) },
    ...{ tells: `Write ${policyFile}: what the control plane may do here`, makes: [] },
  };
  return [
    ...(facts.hasPolicy ? [] : [policy]),
    {
      ...{ kind: 'set_service', program: `${versionFolder(paths, program)}\\${PROGRAM_NAME}` },
      tells: `Make the service ${SERVICE}: it starts with Windows, and again 5 s after it ends`,
      makes: [
        gone('service', SERVICE),
        ...(facts.hasEventSource ? [] : [gone('registry', EVENT_SOURCE_KEY)]),
      ],
    },
  ];
}

/** As was asked for, else as before. */
function logonTask(facts: WindowsFacts, { dockerLogonTask }: InstallRequest): WindowsStep[] {
  if (dockerLogonTask === false) {
    const tells = 'Take away the task that starts Docker Desktop at sign-in';
    return facts.hasLogonTask ? [{ kind: 'remove_logon_task', tells, makes: [] }] : [];
  }
  // Whose task it is was said when it was made: somebody else may be the one who repairs.
  if (dockerLogonTask !== true || facts.dockerDesktop === null) return [];
  return [
    {
      ...{ kind: 'make_logon_task', account: facts.userSid ?? facts.user, program: facts.dockerDesktop },
      tells: `Make a task that starts Docker Desktop when ${facts.user} signs in`,
      makes: [gone('task', LOGON_TASK)],
    },
  ];
}

function notesOf(facts: WindowsFacts, { dockerLogonTask }: InstallRequest, program: FoundProgram): string[] {
  const notes = proofNotes(program.proof);
  notes.push('The agent runs as SYSTEM. What the control plane can make of that is bound by agent.yaml.');
  if (facts.dockerDesktop === null) {
    notes.push(
      facts.hasEnginePipe
        ? `An engine runs that is not Docker Desktop for all users or for you. ${OWN_START}`
        : 'Docker Desktop is installed neither for all users nor for you: without it the agent reports and watches, and keeps no replicas.',
    );
  } else if (dockerLogonTask === false || (dockerLogonTask === null && !facts.hasLogonTask)) {
    notes.push(
      `Docker Desktop runs while somebody is signed in. To have it start at your sign-in: ${ownCommand('install --docker-logon-task', 'win32')}`,
    );
  }
  return [...notes, ...clockNotes(facts.nowMs, program.builtAtMs, CLOCK_FIX)];
}

function versionFolder({ versionsFolder }: WindowsPaths, { version, sha256 }: FoundProgram): string {
  return `${versionsFolder}\\${version}-${sha256.slice(0, 12)}`;
}

/** Proven with the program, by the same manifest. */
function wrapperOf({ beside }: FoundProgram): string | null {
  return beside.find((file) => nameOf(file).toLowerCase() === WRAPPER_NAME) ?? null;
}

function kept(kind: Made['kind'], what: string): Made {
  return { kind, what, kept: true };
}

function gone(kind: Made['kind'], what: string): Made {
  return { kind, what, kept: false };
}
