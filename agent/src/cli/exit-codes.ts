import { JoinError, NotJoinedError } from '../agent-errors.js';
import { ConfigError } from '../config/agent-config.js';
import { InstallRefusedError, InstallStepError, InterruptedError } from '../install/install-errors.js';
import { LinkError } from '../link/link-failure.js';

/** What a script may rely on; printed at the end of `--help`. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notJoined: 3,
  refused: 4,
  unreachable: 5,
} as const;

type ExitCode = keyof typeof exitCodes;

const MEANINGS: Readonly<Record<ExitCode, string>> = {
  ok: 'done',
  failed: 'failed; the message says why',
  usage: 'wrong usage',
  notJoined: 'this host has not joined a control plane',
  refused: 'the control plane refused (token unknown, used or expired; name taken; …)',
  unreachable: 'the control plane cannot be reached, or its certificate is not the pinned one',
};

/** For the end of a help text. A pair gives a code the words that it has for this command. */
export function exitCodesOf(...codes: readonly (ExitCode | readonly [ExitCode, string])[]): string {
  const lines = codes.map((each) => {
    const [code, meaning] = typeof each === 'string' ? [each, MEANINGS[each]] : each;
    return `  ${exitCodes[code]}  ${meaning}`;
  });
  return ['', 'Exit codes:', ...lines].join('\n');
}

export const exitCodesHelp = exitCodesOf('ok', 'failed', 'usage', 'notJoined', 'refused', 'unreachable');

/** Wrong usage that only shows while a command runs. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface ExplainedError {
  readonly exitCode: number;
  readonly code: string;
  readonly message: string;
}

/** The error's code first, the exit code last. */
export function explainError(error: unknown): ExplainedError {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError || error instanceof ConfigError) {
    return { exitCode: exitCodes.usage, code: 'usage', message };
  }
  if (error instanceof NotJoinedError) return { exitCode: exitCodes.notJoined, code: 'not_joined', message };
  if (error instanceof JoinError) {
    const isUsage = error.code === 'bad_server' || error.code === 'bad_token';
    return { exitCode: isUsage ? exitCodes.usage : exitCodes.failed, code: error.code, message };
  }
  if (error instanceof LinkError) {
    const { failure } = error;
    return failure.code === 'goodbye'
      ? { exitCode: exitCodes.refused, code: failure.reason, message }
      : { exitCode: exitCodes.unreachable, code: failure.code, message };
  }
  if (error instanceof InstallRefusedError) {
    const code = error.refusals[0]?.code ?? 'failed';
    const isUsage = code === 'server_needed' || code === 'token_needed';
    return { exitCode: isUsage ? exitCodes.usage : exitCodes.failed, code, message };
  }
  if (error instanceof InterruptedError) return { exitCode: exitCodes.failed, code: 'interrupted', message };
  if (error instanceof InstallStepError) {
    const { exitCode, code } = explainError(error.cause);
    const { step, aftermath } = error;
    const goesOn =
      code === 'interrupted'
        ? 'run the same again, and it goes on'
        : 'once this is mended, run the same again';
    const again = `What was done before stands, and is recorded: ${goesOn}.`;
    const lines = [`${step.tells}: ${message}`, ...(aftermath === null ? [] : [aftermath]), again];
    return { exitCode, code, message: lines.join('\n') };
  }
  return { exitCode: exitCodes.failed, code: 'failed', message };
}
