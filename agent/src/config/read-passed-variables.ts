import type { Environment } from './read-agent-config.js';

/** The agent's own variables that may be passed on into containers: these and no others. */
export function readPassedVariables(
  names: readonly string[],
  environment: Environment = process.env,
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(names.map((name) => [name, environment[name]]));
}
