const FLAG = /^(--?[a-z0-9-]*(?:api[-_]?key|token|secret|password)[a-z0-9-_]*)(=.*)?$/is;
/** Ends on "token", and is no secret. */
const HARMLESS =
  /^--(?:max|min|num|long|enable|disable|skip|ignore|stop|special)|tokens|tokenizer|token-budget/i;

/** The arguments of a command with what follows a secret's flag masked: `--api-key ***`, `--hf-token=***`. */
export function maskSecrets(argv: readonly string[]): string[] {
  let maskNext = false;
  return argv.map((argument) => {
    if (maskNext) {
      maskNext = false;
      // Several keys may follow one flag, the next flag never is one.
      if (!argument.startsWith('--')) {
        maskNext = true;
        return '***';
      }
    }
    const match = FLAG.exec(argument);
    if (!match || HARMLESS.test(argument)) return argument;
    if (match[2] !== undefined) return `${match[1]}=***`;
    maskNext = true;
    return argument;
  });
}
