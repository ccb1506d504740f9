import { ownCommand } from '../../own-command.js';
import type { ContainerEngineProbe } from '../container-engine.js';

/** An endpoint's code where its user has no session, so that nothing of that user runs. */
export const NOBODY_SIGNED_IN = 'nobody is signed in';

/** What came of asking one endpoint: an error code of the system, or what it was in words. */
export interface EndpointTrial {
  readonly endpoint: string;
  readonly code: string;
}

type Unreachable = Extract<ContainerEngineProbe, { reachable: false }>;

/** The least sensible absence first: what is there and refuses tells more than what is not there. */
const WEIGHT: Readonly<Record<string, number>> = {
  ENOENT: 0,
  [NOBODY_SIGNED_IN]: 0.5,
  ECONNREFUSED: 2,
  EACCES: 3,
  EPERM: 3,
};

/** Why no engine answers, from all that was tried, with what an operator can do about it. */
export function judgeEndpoints(trials: readonly EndpointTrial[], platform: string): Unreachable {
  const weight = ({ code }: EndpointTrial): number => WEIGHT[code] ?? 1;
  const worst = [...trials].sort((one, other) => weight(other) - weight(one))[0];
  if (worst === undefined)
    return unreachable('No place is known where a container engine could be.', INSTALL);
  if (platform === 'win32') return judgePipe(worst);
  const tried = trials.map(({ endpoint }) => endpoint).join(', ');
  switch (worst.code) {
    case 'ENOENT':
      return unreachable(`No container engine has its socket at ${tried}.`, INSTALL);
    case NOBODY_SIGNED_IN:
      return {
        reachable: false,
        code: 'sign_in_needed',
        detail: `The container engine at ${worst.endpoint} is a user’s own, and nobody is signed in as that user.`,
        fix:
          'Sign in at this machine. To need nobody, let what that user runs start with the machine: "loginctl ' +
          'enable-linger USER", then as that user "systemctl --user enable --now podman.socket".',
      };
    case 'EACCES':
    case 'EPERM':
      return unreachable(
        `The agent may not use ${worst.endpoint}.`,
        `Let the agent’s user use it: for Docker "usermod -aG docker USER", for Podman a group on the socket (SocketGroup= of ` +
          'podman.socket), then restart the agent. Whoever may use a rootful engine’s socket is as good as root.',
      );
    case 'ECONNREFUSED':
      return unreachable(
        `Nobody listens on ${worst.endpoint}: its engine has stopped.`,
        'Start it: "systemctl start docker", or "systemctl start podman.socket".',
      );
    default:
      return unreachable(
        `The container engine at ${worst.endpoint} does not answer (${worst.code}).`,
        RESTART,
      );
  }
}

function judgePipe(worst: EndpointTrial): Unreachable {
  if (worst.code === 'ENOENT') {
    return {
      reachable: false,
      code: 'sign_in_needed',
      detail: 'Docker Desktop does not run: it starts when a user signs in to Windows.',
      fix:
        `Sign in at this machine. To have it start at every sign-in: ${ownCommand('install --docker-logon-task', 'win32')}. ` +
        'To need nobody, let Windows suspend rather than shut down: a session survives that.',
    };
  }
  if (worst.code === 'EACCES' || worst.code === 'EPERM') {
    return unreachable(
      `The agent may not use ${worst.endpoint}.`,
      'Add the agent’s account to the local group "docker-users", then restart the agent.',
    );
  }
  return unreachable(
    `Docker Desktop’s engine at ${worst.endpoint} does not answer (${worst.code}).`,
    'Wait while it starts; else restart Docker Desktop, or run "wsl --shutdown" and start it anew.',
  );
}

const INSTALL =
  'Install Docker or Podman, or start its socket ("systemctl enable --now podman.socket"); if it is elsewhere, name it in ' +
  'AI_FABRIC_AGENT_CONTAINER_ENGINE.';
const RESTART = 'Look at it with "docker info" or "podman info", and restart it.';

function unreachable(detail: string, fix: string): Unreachable {
  return { reachable: false, code: 'engine_unreachable', detail, fix };
}
