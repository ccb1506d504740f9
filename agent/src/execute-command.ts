import type { Command } from '@ai-fabric/shared';
import type { CommandResult } from './link/decide/command-book.js';
import type { ReplicaKeepers } from './replica/replica-keepers.js';

/** Does what the control plane asks for. */
export function executeCommand(command: Command, replicas: ReplicaKeepers): CommandResult {
  switch (command.name) {
    case 'apply_desired':
      replicas.applyDesired(command);
      return { result: 'done' };
    case 'remove_orphans':
      return {
        result: 'refused',
        code: 'not_supported_here',
        detail: 'This agent does not run containers.',
      };
    default:
      return command satisfies never;
  }
}
