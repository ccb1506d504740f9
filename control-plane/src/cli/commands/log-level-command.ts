import { Argument, Command } from 'commander';
import { logLevelSchema } from '../../api/schemas.js';
import { LOG_LEVELS } from '../../config/control-plane-config.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { printJson } from '../output.js';

export function logLevelCommand(): Command {
  const command = new Command('log-level')
    .description("show the level of the control plane's log, or change it while it runs")
    .addArgument(new Argument('[level]', 'from now on, until it is started again').choices(LOG_LEVELS))
    .addHelpText(
      'after',
      `
Examples:
  ai-fabric log-level
  ai-fabric log-level debug      # one line for each request, and what agents and listeners do
  ai-fabric log-level info`,
    );
  return withConnection(command).action(async (level: string | undefined, flags: ConnectionFlags) => {
    const api = connect(flags);
    const now =
      level === undefined
        ? await api.get('/log-level', logLevelSchema)
        : await api.put('/log-level', { level }, logLevelSchema);
    if (flags.json) printJson(now);
    else console.log(now.level);
  });
}
