import { Command } from 'commander';
import type { z } from 'zod';
import { roleSchema } from '../../api/schemas.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { describeTargets } from '../describe-targets.js';
import { printJson, printTable } from '../output.js';

type Role = z.infer<typeof roleSchema>;

export function rolesCommand(): Command {
  const roles = new Command('roles').description('the names that clients ask for: list, show, remove');
  withConnection(
    roles.command('list', { isDefault: true }).description('all roles and who answers now'),
  ).action(async (flags: ConnectionFlags) => {
    const items = await connect(flags).list('/roles', roleSchema);
    if (flags.json) printJson(items);
    else printRoles(items);
  });
  withConnection(roles.command('show <role>').description('one role')).action(
    async (name: string, flags: ConnectionFlags) => {
      const role = await connect(flags).get(`/roles/${encodeURIComponent(name)}`, roleSchema);
      if (flags.json) printJson(role);
      else printRoles([role]);
    },
  );
  withConnection(roles.command('remove <role>').description('remove one that no alias uses any more')).action(
    async (name: string, flags: ConnectionFlags) => {
      await connect(flags).delete(`/roles/${encodeURIComponent(name)}`);
      if (flags.json) printJson({ name, removed: true });
      else console.log(`${name} is removed`);
    },
  );
  return roles.addHelpText(
    'after',
    `
Of the targets, those with "|" between them compete; what stands behind "→" is asked only when none before it can serve.
In brackets stands for which requests a target is asked at all; "wait > 5 s": also where those before it take longer to begin.

Examples:
  ai-fabric roles
  ai-fabric roles show chat-fast --json`,
  );
}

function printRoles(roles: readonly Role[]): void {
  printTable(
    ['ROLE', 'TASK', 'STATE', 'ANSWERED BY', 'TARGETS', 'ALIASES'],
    roles.map((role) => [
      role.name,
      role.task,
      role.state,
      role.servedBy ?? '-',
      describeTargets(role.targets),
      role.aliases.join(', ') || '-',
    ]),
  );
}
