import type { EngineAccess, InstallRefusal, InstallRequest, Made } from '../../install-steps.js';
import type { LinuxFacts } from './linux-facts.js';
import {
  ACCOUNT,
  ENGINE_DROP_IN,
  ENGINE_DROP_IN_FOLDER,
  PODMAN_DROP_IN,
  PODMAN_DROP_IN_FOLDER,
  PODMAN_SOCKET,
  ROOTLESS_STORAGE,
} from './linux-paths.js';
import type { LinuxStep } from './linux-steps.js';
import { gone } from './made.js';
import { podmanDropIn } from './write-units.js';

/** It would bring back what is ended. */
const STOP_AGENT: LinuxStep = { kind: 'stop_service', tells: 'Stop the agent that runs', makes: [] };

/** As was asked for, else as before, else as good as it goes. */
export function chooseAccess(
  { record }: LinuxFacts,
  { engineAccess }: Pick<InstallRequest, 'engineAccess'>,
): EngineAccess {
  return engineAccess ?? record?.engineAccess ?? 'group';
}

export function engineSteps(facts: LinuxFacts, access: EngineAccess): LinuxStep[] {
  const lookFreely: LinuxStep = {
    ...{ kind: 'remove_file', path: ENGINE_DROP_IN },
    ...{ tells: 'Let the agent look for its container engine by itself', makes: [] },
  };
  switch (access) {
    case 'none':
      return [...endRootless(facts), ...endRootful(facts), ...closeRootful(), lookFreely];
    case 'rootless':
      return [...endRootful(facts), ...closeRootful(), ...openRootless()];
    case 'group':
      return [...endRootless(facts), lookFreely, ...openPodman(facts), ...openDocker(facts)];
    default:
      return access satisfies never;
  }
}

/** Why the access that is wished for cannot be given. */
export function engineRefusals({ missingForRootless }: LinuxFacts, access: EngineAccess): InstallRefusal[] {
  if (access !== 'rootless' || missingForRootless.length === 0) return [];
  const packages = missingForRootless.join(' ');
  return [
    {
      code: 'rootless_incomplete',
      detail: `A rootless Podman needs more than is here; by the names of Debian’s packages: ${packages}.`,
      fix: `sudo apt-get install ${packages}, and run this again; or --podman-socket group or none.`,
    },
  ];
}

/** Containers in an engine that the agent no longer reaches would keep its cards for ever. */
function endRootful({ record }: LinuxFacts): LinuxStep[] {
  const opened = [gone('file', PODMAN_DROP_IN), gone('membership', `${ACCOUNT}:docker`)];
  if (!opened.some((each) => hasMade(record, each))) return [];
  return [
    STOP_AGENT,
    {
      ...{ kind: 'end_containers', makes: [], unmakes: opened },
      tells: 'Stop its containers in root’s Podman and in Docker, which it is to use no longer; they stay',
    },
  ];
}

function endRootless({ record }: LinuxFacts): LinuxStep[] {
  const lingering = gone('lingering', ACCOUNT);
  if (!hasMade(record, lingering)) return [];
  return [
    STOP_AGENT,
    {
      ...{ kind: 'end_rootless_podman', account: ACCOUNT, makes: [], unmakes: [lingering] },
      tells: 'End the Podman of the agent’s own user with its containers; what it holds stays',
    },
  ];
}

function hasMade(record: LinuxFacts['record'], { kind, what }: Made): boolean {
  return record?.made.some((made) => made.kind === kind && made.what === what) ?? false;
}

/** What an install before this one may have opened. */
function closeRootful(): LinuxStep[] {
  return [
    { kind: 'remove_file', path: PODMAN_DROP_IN, tells: 'Keep the agent from rootful Podman', makes: [] },
    {
      ...{ kind: 'leave_group', account: ACCOUNT, group: 'docker' },
      ...{ tells: 'Keep the agent from Docker', makes: [] },
    },
  ];
}

function openRootless(): LinuxStep[] {
  return [
    {
      ...{ kind: 'make_folder', path: ENGINE_DROP_IN_FOLDER, mode: 0o755, owner: null },
      ...{ tells: `Make ${ENGINE_DROP_IN_FOLDER}`, makes: [gone('folder', ENGINE_DROP_IN_FOLDER)] },
    },
    {
      ...{ kind: 'open_rootless_podman', account: ACCOUNT },
      tells: 'Start a Podman of the agent’s own user, which is not root, and let it run without a session',
      makes: [gone('file', ENGINE_DROP_IN), gone('lingering', ACCOUNT)],
    },
  ];
}

function openPodman({ hasPodman, isPodmanEnabled }: LinuxFacts): LinuxStep[] {
  if (!hasPodman) return [];
  return [
    {
      ...{ kind: 'make_folder', path: PODMAN_DROP_IN_FOLDER, mode: 0o755, owner: null },
      ...{ tells: `Make ${PODMAN_DROP_IN_FOLDER}`, makes: [gone('folder', PODMAN_DROP_IN_FOLDER)] },
    },
    {
      ...{ kind: 'write_file', path: PODMAN_DROP_IN, text: podmanDropIn(), mode: 0o644, group: null },
      tells: `Open Podman’s socket to the agent’s group (${PODMAN_DROP_IN})`,
      makes: [gone('file', PODMAN_DROP_IN)],
    },
    { kind: 'reload_systemd', tells: 'Tell systemd of the socket’s group', makes: [] },
    {
      ...{ kind: 'restart_socket', unit: PODMAN_SOCKET },
      tells: 'Open the socket anew, now and at every boot; containers run on',
      makes: isPodmanEnabled ? [] : [gone('service', PODMAN_SOCKET)],
    },
  ];
}

function openDocker({ hasDocker }: LinuxFacts): LinuxStep[] {
  if (!hasDocker) return [];
  return [
    {
      ...{ kind: 'join_group', account: ACCOUNT, group: 'docker' },
      tells: 'Let the agent use Docker, by its group',
      makes: [gone('membership', `${ACCOUNT}:docker`)],
    },
  ];
}

export function engineNotes(facts: LinuxFacts, access: EngineAccess): string[] {
  const left =
    access !== 'rootless' && hasMade(facts.record, gone('lingering', ACCOUNT))
      ? [`What the agent’s own Podman held stays in ${ROOTLESS_STORAGE}, models too; sudo rm -r removes it.`]
      : [];
  return [...left, ...accessNotes(facts, access)];
}

function accessNotes({ hasPodman, hasDocker }: LinuxFacts, access: EngineAccess): string[] {
  if (access === 'none') {
    return [
      'The agent may use no container engine: it reports and watches, and keeps no replicas (--podman-socket group or rootless).',
    ];
  }
  if (access === 'rootless') {
    return [
      'The agent uses a Podman of its own user, which is not root. Cards in it need a CDI spec that everybody can read.',
    ];
  }
  if (!hasPodman && !hasDocker) {
    return [
      'There is neither Podman nor Docker here yet: install one, and run "ai-fabric-agent install" again.',
    ];
  }
  const engines = [...(hasPodman ? ['Podman'] : []), ...(hasDocker ? ['Docker'] : [])].join(' and ');
  return [
    `The agent may use ${engines} as root does. Whoever may do that is as good as root on this machine, so the agent’s own user is, too; what ` +
      'the control plane can make of it is bound by agent.yaml. --podman-socket rootless or none takes it back.',
  ];
}
