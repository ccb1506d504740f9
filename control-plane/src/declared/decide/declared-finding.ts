import { looksSecret } from './describe-value.js';

/** What is wrong with a declared state, and where. A place in a file is added by whoever knows the file. */
export interface DeclaredFinding {
  /** Keys and list indices from the root: `['roles', 'chat-fast', 'targets', 1, 'deployment']`. */
  readonly path: readonly (string | number)[];
  /** What is wrong, what was expected, and the nearest known name. Never holds what may be a secret. */
  readonly message: string;
  /** The place meant is the key at the end of `path`, not its value. */
  readonly atKey?: boolean;
}

const PLAIN_KEY = /^[A-Za-z0-9._-]+$/;
const MAX_SHOWN_KEY = 64;

/** As people write it: `roles.chat-fast.targets[1].deployment`, `aliases["local/chat"]`. */
export function formatPath(path: readonly (string | number)[]): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (looksSecret(part)) text += '[not shown]';
    else if (!PLAIN_KEY.test(part)) text += `[${JSON.stringify(part.slice(0, MAX_SHOWN_KEY))}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text === '' ? '(the whole file)' : text;
}
