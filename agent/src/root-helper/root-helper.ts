import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunTool, runToolWithin } from '../identity/run-tool.js';
import { judgeHelperError } from './decide/judge-helper-error.js';
import {
  HELPER_ANSWERS,
  type HelperAnswer,
  type HelperVerb,
  helperAnswerSchema,
  helperUnit,
} from './helper-verbs.js';

/** Why root did not do it. */
export class RootHelperError extends Error {
  override readonly name = 'RootHelperError';
  /** `denied`: polkit did not let the agent ask. `failed`: it was tried. */
  readonly code: 'denied' | 'not_there' | 'failed' | 'refused';

  constructor(code: RootHelperError['code'], detail: string) {
    super(detail);
    this.code = code;
  }
}

/** Has done by root what only root may: one of a few verbs, each a unit that polkit lets the agent start. */
export interface RootHelper {
  /** Resolves when it was done. @throws RootHelperError */
  ask(verb: HelperVerb): Promise<HelperAnswer>;
}

export interface RootHelperOptions {
  readonly runTool?: RunTool;
  /** Where root puts its answers. */
  readonly answers?: string;
}

/** Starting the unit waits for its end. */
const ASK_MS = 30_000;

export function rootHelper({
  runTool = runToolWithin(ASK_MS),
  answers = HELPER_ANSWERS,
}: RootHelperOptions = {}): RootHelper {
  return {
    ask: async (verb) => {
      const trouble = await runTool('systemctl', ['start', '--no-ask-password', helperUnit(verb)]).then(
        () => null,
        (error: unknown) => judgeHelperError(verb, error instanceof Error ? error.message : String(error)),
      );
      // One that was not even started left the answer of another time.
      if (trouble !== null && trouble.code !== 'failed')
        throw new RootHelperError(trouble.code, trouble.detail);
      const answer = await readAnswer(join(answers, `${verb}.json`));
      if (answer?.ok && trouble === null) return answer;
      const code = answer?.code === 'policy_refused' ? 'refused' : 'failed';
      throw new RootHelperError(code, answer?.detail ?? trouble?.detail ?? 'It left no answer.');
    },
  };
}

async function readAnswer(path: string): Promise<HelperAnswer | null> {
  const text = await readFile(path, 'utf8').catch(() => '');
  try {
    return helperAnswerSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
