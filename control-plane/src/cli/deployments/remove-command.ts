import { countOf } from '@ai-fabric/shared';
import { type Command, InvalidArgumentError } from 'commander';
import { orphansRemovedSchema } from '../../api/deployment-schemas.js';
import { hostDetailSchema } from '../../api/schemas.js';
import { confirm } from '../confirm.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { printJson } from '../output.js';

interface RemoveFlags extends ConnectionFlags {
  fromRoles?: readonly string[];
  orphans?: string;
  yes?: boolean;
}

/** Longer than the control plane waits for the agent. */
const ORPHANS_TIMEOUT_MS = 150_000;

export function addRemoveCommand(deployments: Command): void {
  const remove = deployments
    .command('rm [deployment]')
    .alias('remove')
    .description('remove one: its container goes, its caches stay; refused while a role or alias uses it')
    .option(
      '--from-roles <names>',
      'all roles that have it as a target, after commas: it leaves them',
      toNames,
    )
    .option(
      '--orphans <host>',
      'instead: remove the host’s containers that carry our label and nothing declares',
    )
    .option('--yes', 'with --orphans: do not ask')
    .addHelpText(
      'after',
      `
Examples:
  ai-fabric deployments rm qwen-armitage
  ai-fabric deployments rm qwen-armitage --from-roles chat-fast,code-assist
  ai-fabric deployments rm --orphans armitage            # shows them first, and asks`,
    );
  withConnection(remove).action(async (name: string | undefined, flags: RemoveFlags) => {
    if ((name === undefined) === (flags.orphans === undefined)) {
      throw new CliError(exitCodes.usage, 'name a deployment, or a host with --orphans');
    }
    if (flags.orphans !== undefined) await removeOrphans(flags.orphans, flags);
    else if (name !== undefined) await removeDeployment(name, flags);
  });
}

async function removeDeployment(name: string, flags: RemoveFlags): Promise<void> {
  const roles = flags.fromRoles ?? [];
  const query = roles.length === 0 ? '' : `?${new URLSearchParams({ roles: roles.join(',') })}`;
  await connect(flags).delete(`/deployments/${encodeURIComponent(name)}${query}`);
  if (flags.json) printJson({ name, removed: true });
  else console.log(`${name} is removed`);
}

async function removeOrphans(host: string, flags: RemoveFlags): Promise<void> {
  const client = connect(flags);
  const path = `/hosts/${encodeURIComponent(host)}`;
  const { orphans } = await client.get(path, hostDetailSchema);
  if (orphans.length > 0 && flags.yes !== true) {
    for (const { containerId, name, deployment } of orphans) {
      console.error(`${containerId.slice(0, 12)}  ${name}  (of ${deployment})`);
    }
    await confirm(`remove ${countOf(orphans.length, 'container')} from ${host}?`);
  }
  // Those that were shown and no others: what came meanwhile was not agreed to.
  const body = orphans.length === 0 ? {} : { containerIds: orphans.map(({ containerId }) => containerId) };
  const done = await client.post(`${path}/orphans/remove`, body, orphansRemovedSchema, ORPHANS_TIMEOUT_MS);
  if (flags.json) printJson(done);
  else if (done.removed.length === 0) console.log(`${host} has no orphans`);
  else for (const { containerId, name } of done.removed) console.log(`removed ${name ?? containerId}`);
}

function toNames(text: string): readonly string[] {
  const names = text.split(',').filter((each) => each !== '');
  if (names.length === 0) throw new InvalidArgumentError('expected names of roles.');
  return names;
}
