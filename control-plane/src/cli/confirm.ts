import { createInterface } from 'node:readline/promises';
import { CliError, exitCodes } from './exit-codes.js';

/**
 * Asks on a terminal; the question goes to standard error, so that standard output stays the answer.
 *
 * @throws CliError where there is no terminal, or the answer is not yes
 */
export async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new CliError(exitCodes.usage, 'nobody can be asked here: there is no terminal', 'add --yes');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new CliError(exitCodes.refused, 'not confirmed: nothing was applied');
}
