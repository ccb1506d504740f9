import type { Command } from '@ai-fabric/shared';
import type { CommandResult } from './link/decide/command-book.js';
import type { OwnerDesk } from './owner/owner-desk.js';
import type { HostPower } from './power/host-power.js';
import type { ReplicaKeepers } from './replica/replica-keepers.js';
import type { Upgrades } from './upgrade/upgrades.js';

/** What commands are carried out with. */
export interface CommandParts {
  readonly replicas: ReplicaKeepers;
  readonly owner: Pick<OwnerDesk, 'ask' | 'changeSettings'>;
  readonly power: HostPower;
  readonly upgrades: Upgrades;
}

/**
 * Does what the control plane asks for.
 *
 * @param linkGone aborted when the link that the command came on is no more
 */
export async function executeCommand(
  command: Command,
  { replicas, owner, power, upgrades }: CommandParts,
  linkGone: AbortSignal,
): Promise<CommandResult> {
  switch (command.name) {
    case 'apply_desired':
      replicas.applyDesired(command);
      return { result: 'done' };
    case 'remove_orphans':
      return readRemoval(await replicas.removeOrphans(command.containerIds));
    case 'apply_yield_settings':
      await owner.changeSettings(command.settings);
      return { result: 'done' };
    case 'yield':
    case 'unyield':
      await owner.ask('operator', command.name === 'yield');
      return { result: 'done' };
    case 'send_magic_packets':
    case 'hold_awake':
    case 'power':
    case 'park':
    case 'unpark':
      return power.execute(command, linkGone);
    case 'offer_upgrade':
      return upgrades.offer(command);
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
