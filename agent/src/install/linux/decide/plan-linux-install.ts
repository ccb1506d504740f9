import { HELPER_ANSWERS } from '../../../root-helper/helper-verbs.js';
import { clockNotes } from '../../decide/clock-notes.js';
import { joinRefusals, roomRefusals, versionRefusals } from '../../decide/find-refusals.js';
import { policyText } from '../../decide/policy-text.js';
import { proofNotes } from '../../decide/proof-notes.js';
import type { InstallPlan, InstallRefusal, InstallRequest } from '../../install-steps.js';
import type { ProgramSource } from '../../program-source.js';
import type { LinuxFacts } from './linux-facts.js';
import {
  ACCOUNT,
  COMMAND_LINK,
  CONFIG_FOLDER,
  CURRENT_LINK,
  CURRENT_PROGRAM,
  HELPER_UNIT_FILE,
  KEY_FILE,
  POLICY_FILE,
  POLKIT_FILE,
  PROGRAM_FOLDER,
  SERVICE,
  STATE_FOLDER,
  UNIT_FILE,
  VERSIONS_FOLDER,
} from './linux-paths.js';
import type { LinuxStep } from './linux-steps.js';
import { gone, kept } from './made.js';
import { chooseAccess, engineNotes, engineRefusals, engineSteps } from './plan-engine-access.js';
import { agentUnit, helperUnitText, polkitRule } from './write-units.js';

/** The first with `LoadCredential`. */
const OLDEST_SYSTEMD = 247;

type FoundProgram = Extract<ProgramSource, { ok: true }>;

/** What an install does here, in order, or why it does nothing. Asked again after it was done, it is the same. */
export function planLinuxInstall(facts: LinuxFacts, request: InstallRequest): InstallPlan<LinuxStep> {
  const refusals = findRefusals(facts, request);
  const { program } = facts;
  if (refusals.length > 0 || !program.ok) return { ok: false, refusals };
  const access = chooseAccess(facts, request);
  return {
    ok: true,
    steps: [
      ...foundation(facts),
      ...identity(facts, request),
      ...placement(program),
      ...settings(facts),
      ...engineSteps(facts, access),
      { kind: 'reload_systemd', tells: 'Tell systemd of the units', makes: [] },
      {
        ...{ kind: 'start_service', tells: 'Start the agent, now and at every boot' },
        makes: [gone('service', SERVICE)],
      },
    ],
    facts: { version: program.version, machineSha256: facts.machineSha256, engineAccess: access },
    notes: [...notesOf(facts, program), ...engineNotes(facts, access)],
  };
}

function findRefusals(facts: LinuxFacts, request: InstallRequest): InstallRefusal[] {
  const refusals: InstallRefusal[] = [];
  const refuse = (code: InstallRefusal['code'], detail: string, fix: string): void => {
    refusals.push({ code, detail, fix });
  };
  if (!facts.hasSystemd) {
    const fix =
      'Without it, run "ai-fabric-agent join" and "ai-fabric-agent run" from whatever starts programs here.';
    refuse('no_systemd', 'This machine is not run by systemd.', fix);
  }
  if (facts.systemdVersion !== null && facts.systemdVersion < OLDEST_SYSTEMD) {
    const detail = `systemd is ${facts.systemdVersion} here, and hands no key to a service (LoadCredential) before ${OLDEST_SYSTEMD}.`;
    const fix = `Upgrade the system: Debian 11, Ubuntu 22.04 and RHEL 9 have it. Or run "ai-fabric-agent join" and "ai-fabric-agent run" from a unit of your own.`;
    refuse('old_systemd', detail, fix);
  }
  // Nothing else is known for sure by who is not root.
  if (!facts.isRoot) {
    refuse(
      'not_root',
      'An install makes a user, units and folders, which only root may.',
      'Run it with sudo.',
    );
    return refusals;
  }
  const { program } = facts;
  if (!program.ok) refuse(program.code, program.detail, program.fix);
  else refusals.push(...versionRefusals(facts.record, program.version, request));
  for (const { path, isOurs } of facts.units) {
    if (isOurs) continue;
    const fix = `See what it is (systemctl cat ${path.split('/').at(-1)}), and remove or rename it.`;
    refuse('service_taken', `There is a service of this name that no install of ours made: ${path}.`, fix);
  }
  for (const { path, is } of facts.taken) {
    const fix = `Move it away. To have it on another disk, mount that there: mount --bind /srv/agent ${path}`;
    refuse(
      'folder_taken',
      `${path} is ${is}: whoever made it could lead the program or the key elsewhere.`,
      fix,
    );
  }
  for (const folder of facts.readOnly) {
    refuse(
      'read_only',
      `${folder} is read-only, and the agent has to be put there.`,
      `Mount it writable for the install: mount -o remount,rw ${folder}`,
    );
  }
  const room = roomRefusals(facts.room, (path) => `df -h ${path}`);
  const engine = engineRefusals(facts, chooseAccess(facts, request));
  return [...refusals, ...room, ...engine, ...joinRefusals(facts, request)];
}

/** Whose the agent is, and what it is called to others: first of all, since a token can be refused. */
function foundation(facts: LinuxFacts): LinuxStep[] {
  return [
    {
      ...{ kind: 'make_folder', path: CONFIG_FOLDER, mode: 0o755, owner: null },
      tells: `Make ${CONFIG_FOLDER} for its settings and its key`,
      makes: [kept('tree', CONFIG_FOLDER)],
    },
    {
      ...{ kind: 'make_account', account: ACCOUNT, home: STATE_FOLDER },
      tells: `Make the system user ${ACCOUNT}, which the agent runs as`,
      makes: facts.hasAccount ? [] : [kept('account', ACCOUNT)],
    },
    {
      ...{ kind: 'make_folder', path: STATE_FOLDER, mode: 0o700, owner: ACCOUNT },
      tells: `Make ${STATE_FOLDER} for what it remembers`,
      makes: [kept('tree', STATE_FOLDER)],
    },
  ];
}

function identity(facts: LinuxFacts, { server, newIdentity, rejoin }: InstallRequest): LinuxStep[] {
  const key: LinuxStep = {
    ...{ kind: 'store_key', anew: newIdentity },
    tells: newIdentity
      ? `Make a new key, which becomes ${KEY_FILE} once it has joined`
      : facts.hasKey
        ? `Keep the key in ${KEY_FILE}`
        : `Store the key in ${KEY_FILE}, which root alone reads; systemd hands it to the agent`,
    makes: [],
  };
  if (facts.joined !== null && !newIdentity && !rejoin) return [key];
  const to = server ?? facts.joined?.serverUrl ?? '';
  return [
    ...(facts.joined === null && facts.joinedFault === null && !newIdentity
      ? []
      : [{ kind: 'stop_service', tells: 'Stop the agent that runs', makes: [] } as const]),
    key,
    {
      ...{ kind: 'join', server: to, rejoin: rejoin || newIdentity },
      ...{ tells: `Join ${to}, whose certificate the token pins`, makes: [] },
    },
  ];
}

function placement(program: FoundProgram): LinuxStep[] {
  const folder = `${VERSIONS_FOLDER}/${program.version}-${program.sha256.slice(0, 12)}`;
  return [
    {
      ...{ kind: 'make_folder', path: VERSIONS_FOLDER, mode: 0o755, owner: null },
      tells: `Make ${PROGRAM_FOLDER} for the program`,
      makes: [gone('tree', PROGRAM_FOLDER)],
    },
    {
      ...{ kind: 'place_program', from: program.path, beside: program.beside, folder },
      ...{ tells: `Place version ${program.version} in ${folder}`, makes: [] },
    },
    {
      ...{ kind: 'link', path: CURRENT_LINK, target: folder, optional: false },
      ...{ tells: `Make ${CURRENT_LINK} point there`, makes: [] },
    },
    {
      ...{ kind: 'link', path: COMMAND_LINK, target: CURRENT_PROGRAM, optional: true },
      tells: `Link it as ${COMMAND_LINK}`,
      makes: [gone('link', COMMAND_LINK)],
    },
  ];
}

function settings(facts: LinuxFacts): LinuxStep[] {
  const unit = (path: string, text: string, tells: string): LinuxStep => ({
    ...{ kind: 'write_file', path, text, mode: 0o644, group: null },
    ...{ tells, makes: [gone('file', path)] },
  });
  return [
    ...(facts.hasPolicy
      ? []
      : [
          {
            ...({
              kind: 'write_file',
              path: POLICY_FILE,
              text: policyText('systemctl restart ai-fabric-agent'),
              mode: 0o640,
              group: ACCOUNT,
            } as const),
            ...{ tells: `Write ${POLICY_FILE}: what the control plane may do here`, makes: [] },
          },
        ]),
    unit(UNIT_FILE, agentUnit(), `Write its unit, ${UNIT_FILE}`),
    {
      ...{ kind: 'write_file', path: HELPER_UNIT_FILE, text: helperUnitText(), mode: 0o644, group: null },
      tells: `Write the unit for what only root may, ${HELPER_UNIT_FILE}`,
      makes: [gone('file', HELPER_UNIT_FILE), gone('tree', HELPER_ANSWERS)],
    },
    ...(facts.polkit === 'reads_rules'
      ? [unit(POLKIT_FILE, polkitRule(), `Let the agent start that unit and nothing else, ${POLKIT_FILE}`)]
      : []),
  ];
}

function notesOf(facts: LinuxFacts, program: FoundProgram): string[] {
  const { builtAtMs } = program;
  const notes = proofNotes(program.proof);
  const without =
    'the agent can neither suspend nor restart this machine, read whether its cards wake it, say goodbye before a suspend, reload the driver, nor upgrade itself (run the printed line again for that)';
  if (facts.polkit === 'none') {
    notes.push(
      `polkit is not installed: ${without}. Mend it: apt-get install polkitd, then ai-fabric-agent install`,
    );
  }
  if (facts.polkit === 'old') {
    notes.push(
      `polkit is older than 0.106 here, or has no folder for rules: ${without}. Debian 12, Ubuntu 24.04 and RHEL 8 have a newer one`,
    );
  }
  if (!facts.hasGdbus) {
    notes.push(
      'gdbus is not installed: a suspend by hand comes without a goodbye. Mend it: apt-get install libglib2.0-bin, then systemctl restart ai-fabric-agent',
    );
  }
  notes.push(...clockNotes(facts.nowMs, builtAtMs, 'timedatectl set-ntp true'));
  return notes;
}
