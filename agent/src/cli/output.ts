import { explainError } from './exit-codes.js';

export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}

/** Tells an error without a stack trace. @returns the exit code */
export function reportError(error: unknown, asJson: boolean): number {
  const { exitCode, code, message } = explainError(error);
  if (asJson) printJson({ error: { code, message } });
  else console.error(`error: ${message}`);
  return exitCode;
}
