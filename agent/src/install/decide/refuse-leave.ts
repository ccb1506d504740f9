import type { LeaveFailure } from '../end-replicas.js';
import type { InstallRefusal } from '../install-steps.js';

/** Why nothing is taken away: replicas that nobody looks after must not stay. @param comeBack its replicas were let go again */
export function refuseLeave(
  failure: LeaveFailure,
  comeBack: boolean,
  platform: NodeJS.Platform,
): InstallRefusal {
  if (failure.code === 'interrupted') {
    const detail = 'Interrupted: nothing was taken away.';
    const fix = 'Run it again when you like.';
    return withReturn({ code: 'interrupted', detail, fix }, comeBack, platform);
  }
  if (failure.code === 'replica_not_ended') {
    const names = failure.deployments.length === 0 ? '' : ` (${failure.deployments.join(', ')})`;
    return withReturn(
      {
        code: 'replica_not_ended',
        detail: `A replica does not end${names}: nothing was taken away.`,
        fix: 'See what keeps its container from ending in the log of the agent and of its container engine, mend that, and run this again.',
      },
      comeBack,
      platform,
    );
  }
  const { restart, stop } = commandsOf(platform);
  return {
    code: 'agent_silent',
    detail: `The agent runs and does not answer, so that nobody knows whether its replicas have ended: nothing was taken away. ${failure.problem}`,
    fix: `${restart} has it answer again, and brings its replicas back: then run this again. Where it does not, stop it before (${stop}): containers that still run are then listed, with the commands that remove them.`,
  };
}

/** Adds to a refusal after the replicas were held down how they come back, where they could not be let go again. */
export function withReturn(
  refusal: InstallRefusal,
  comeBack: boolean,
  platform: NodeJS.Platform,
): InstallRefusal {
  if (comeBack) return refusal;
  return {
    ...refusal,
    fix: `${refusal.fix} Its replicas are held down until then: ${commandsOf(platform).restart} brings them back.`,
  };
}

function commandsOf(platform: NodeJS.Platform): { restart: string; stop: string } {
  return platform === 'win32'
    ? { restart: 'Restart-Service ai-fabric-agent', stop: 'Stop-Service ai-fabric-agent' }
    : {
        restart: 'sudo systemctl restart ai-fabric-agent',
        stop: 'sudo systemctl stop ai-fabric-agent',
      };
}
