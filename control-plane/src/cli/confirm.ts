import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import { CliError, exitCodes } from './exit-codes.js';

export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable;
}

/** Questions go to standard error, so that standard output stays the answer. */
const OURS: Terminal = { input: process.stdin, output: process.stderr };

/**
 * Asks for a yes on a terminal.
 *
 * @throws CliError where there is no terminal, or the answer is not yes
 */
export async function confirm(question: string, terminal = OURS): Promise<void> {
  const answer = await ask(`${question} [y/N] `, terminal);
  if (!/^y(es)?$/i.test(answer)) throw notConfirmed();
}

/**
 * Asks for the name of what cannot be brought back.
 *
 * @throws CliError where there is no terminal, or the answer is another
 */
export async function confirmByName(name: string, question: string, terminal = OURS): Promise<void> {
  if ((await ask(`${question} Type its name: `, terminal)) !== name) throw notConfirmed();
}

async function ask(question: string, { input, output }: Terminal): Promise<string> {
  if (!input.isTTY) {
    throw new CliError(exitCodes.usage, 'nobody can be asked here: there is no terminal', 'add --yes');
  }
  const lines = createInterface({ input, output });
  try {
    // Who ends the input (Ctrl-D) gives no answer, and the question would wait for ever.
    const ended = once(lines, 'close').then(() => '');
    return (await Promise.race([lines.question(question), ended])).trim();
  } finally {
    lines.close();
  }
}

function notConfirmed(): CliError {
  return new CliError(exitCodes.refused, 'not confirmed: nothing was changed');
}
