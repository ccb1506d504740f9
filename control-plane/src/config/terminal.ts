import { type Environment, processEnvironment } from './environment.js';

/** NO_COLOR, set to anything: https://no-color.org */
export function forbidsColour(environment: Environment = processEnvironment()): boolean {
  return (environment['NO_COLOR'] ?? '') !== '';
}
