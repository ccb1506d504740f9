import type { Command } from '@ai-fabric/shared';
import type { CommandResult } from './link/decide/command-book.js';
import type { ReplicaKeepers } from './replica/replica-keepers.js';

/** Does what the control plane asks for. */
export async function executeCommand(command: Command, replicas: ReplicaKeepers): Promise<CommandResult> {
  switch (command.name) {
    case 'apply_desired':
      replicas.applyDesired(command);
      return { result: 'done' };
    case 'remove_orphans':
      return readRemoval(await replicas.removeOrphans(command.containerIds));
    case 'apply_yield_settings':
    case 'yield':
    case 'unyield':
    case 'send_magic_packets':
    case 'hold_awake':
    case 'power':
    case 'park':
    case 'unpark':
      return {
        result: 'refused',
        code: 'not_supported_here',
        detail: `This agent does not know ${command.name}.`,
      };
    default:
      return command satisfies never;
  }
}

function readRemoval(problems: readonly string[] | null): CommandResult {
  if (problems === null) {
    return { result: 'refused', code: 'not_supported_here', detail: 'This agent does not run containers.' };
  }
  if (problems.length === 0) return { result: 'done' };
  return { result: 'failed', code: 'orphans_left', detail: problems.join('; ') };
}
