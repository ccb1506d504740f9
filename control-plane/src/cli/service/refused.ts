import { CliError, exitCodes } from '../exit-codes.js';
import type { Refusal } from './decide/service-facts.js';

/** Nothing was changed. */
export function refused({ code, message, fix }: Refusal): CliError {
  return new CliError(exitCodes.refused, message, fix, { code });
}
