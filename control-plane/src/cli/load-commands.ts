import type { Command } from 'commander';

/** In the order of the help. Each is loaded where it is asked for: loading all takes longer than what most of them do. */
const loaders: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import('./commands/up-command.js')).upCommand(),
  demo: async () => (await import('./commands/demo-command.js')).demoCommand(),
  token: async () => (await import('./commands/token-command.js')).tokenCommand(),
  hosts: async () => (await import('./commands/hosts-command.js')).hostsCommand(),
  deployments: async () => (await import('./commands/deployments-command.js')).deploymentsCommand(),
  roles: async () => (await import('./commands/roles-command.js')).rolesCommand(),
  logs: async () => (await import('./commands/logs-command.js')).logsCommand(),
  models: async () => (await import('./commands/models-command.js')).modelsCommand(),
  doctor: async () => (await import('./commands/doctor-command.js')).doctorCommand(),
  smoke: async () => (await import('./commands/smoke-command.js')).smokeCommand(),
  checks: async () => (await import('./commands/checks-command.js')).checksCommand(),
  audit: async () => (await import('./commands/audit-command.js')).auditCommand(),
  keys: async () => (await import('./commands/keys-command.js')).keysCommand(),
  requests: async () => (await import('./commands/requests-command.js')).requestsCommand(),
  usage: async () => (await import('./commands/usage-command.js')).usageCommand(),
  power: async () => (await import('./commands/power-command.js')).powerCommand(),
  diff: async () => (await import('./commands/diff-command.js')).diffCommand(),
  apply: async () => (await import('./commands/apply-command.js')).applyCommand(),
  export: async () => (await import('./commands/export-command.js')).exportCommand(),
  drift: async () => (await import('./commands/drift-command.js')).driftCommand(),
  import: async () => (await import('./commands/import-command.js')).importCommand(),
  'log-level': async () => (await import('./commands/log-level-command.js')).logLevelCommand(),
  backup: async () => (await import('./commands/backup-command.js')).backupCommand(),
  restore: async () => (await import('./commands/restore-command.js')).restoreCommand(),
  service: async () => (await import('./commands/service-command.js')).serviceCommand(),
  version: async () => (await import('./commands/version-command.js')).versionCommand(),
};

/**
 * The command that is asked for alone; all of them where what comes first is none: help lists them, and a name that is
 * mistyped is compared with theirs. The version needs none.
 *
 * @param args what follows the program's name
 */
export async function loadCommands([name = '']: readonly string[]): Promise<Command[]> {
  if (name === '-V' || name === '--version') return [];
  const asked = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
  if (asked !== undefined) return [await asked()];
  return Promise.all(Object.values(loaders).map((load) => load()));
}
