/** What a script may rely on; printed at the end of `--help`. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  unreachable: 5,
  changed: 10,
  warnings: 20,
  errors: 21,
} as const;

export const exitCodesHelp = `
Exit codes:
  0  done
  1  failed, or what was waited for did not come in time; the message says why
  2  wrong usage
  3  the named host, deployment, role, token, key or request does not exist
  4  refused (wrong admin token, invalid change, still in use, a file that is there already, a no to a question)
  5  the control plane cannot be reached, or its certificate is not the pinned one
  6  this machine lacks what is needed (demo --podman); the message lists it
  10 something differs, or was changed (diff, apply, drift)
  20 doctor: the worst finding is a warning
  21 doctor: the worst finding is an error; smoke: something is broken`;

/** An error that a user can act on: printed without a stack trace. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;
  readonly fix: string | null;
  /** More of it for programs: printed with --json. */
  readonly details: Readonly<Record<string, unknown>> | null;

  constructor(
    exitCode: number,
    message: string,
    fix: string | null = null,
    details: Readonly<Record<string, unknown>> | null = null,
  ) {
    super(message);
    this.exitCode = exitCode;
    this.fix = fix;
    this.details = details;
  }
}
