import { CliError, exitCodes } from './exit-codes.js';

/**
 * Asks until the control plane answers: who follows something sits a restart out.
 *
 * @param tell what happens meanwhile, in a line: once when it is gone, once when it is back
 * @param wait between two tries
 * @throws what `ask` throws, other than that the control plane cannot be reached
 */
export async function sitOutAbsence<Answer>(
  ask: () => Promise<Answer>,
  tell: (line: string) => void,
  wait: () => Promise<void>,
): Promise<Answer> {
  for (let isGone = false; ; await wait()) {
    try {
      const answer = await ask();
      if (isGone) tell('the control plane is back');
      return answer;
    } catch (error) {
      if (!(error instanceof CliError) || error.exitCode !== exitCodes.unreachable) throw error;
      if (!isGone) tell(`${error.message}; waiting for it (Ctrl-C ends this)`);
      isGone = true;
    }
  }
}
