import { type ExecFileException, execFile, spawn } from 'node:child_process';
import { tryStart } from './try-start.js';

/** Runs a program of the operating system and gives what it printed. Rejects when it fails or takes too long. */
export type RunTool = (file: string, args: readonly string[]) => Promise<string>;

export const runTool: RunTool = runToolWithin(10_000);

/** For tools that may take longer than those that tell something. */
export function runToolWithin(timeoutMs: number): RunTool {
  return (file, args) =>
    new Promise((resolve, reject) => {
      execFile(file, [...args], { timeout: timeoutMs, windowsHide: true }, (error, stdout) => {
        if (error) reject(error);
        else resolve(stdout);
      });
    });
}

/** What came of a program of the operating system. */
export interface CapturedRun {
  readonly output: string;
  /** The end of what it said on standard error. */
  readonly errorText: string;
  /** `null` where a signal ended it, or it never started. */
  readonly exitCode: number | null;
  /** The operating system's code where it could not be started. */
  readonly startError: string | null;
  /** It printed more. */
  readonly isCut: boolean;
}

/** Runs a program, and ends it when it has printed too much, or nobody wants it any more. Never rejects. */
export type CaptureRun = (
  file: string,
  args: readonly string[],
  limits: { readonly maxBytes: number; readonly signal: AbortSignal },
) => Promise<CapturedRun>;

const MAX_ERROR_TEXT = 1_000;

export const captureRun: CaptureRun = (file, args, { maxBytes, signal }) =>
  new Promise((resolve) => {
    const onEnd = (error: ExecFileException | null, output: string, errorText: string): void => {
      const { code = null } = (error ?? {}) as { readonly code?: unknown };
      const isCut = code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER';
      const startError = typeof code === 'string' && !isCut ? code : null;
      resolve({
        ...{ output, errorText: errorText.slice(-MAX_ERROR_TEXT), startError, isCut },
        exitCode: error === null ? 0 : typeof code === 'number' ? code : null,
      });
    };
    const options = { maxBuffer: maxBytes, signal, killSignal: 'SIGKILL', windowsHide: true } as const;
    tryStart(
      () => execFile(file, [...args], options, onEnd),
      (error) => onEnd(error as ExecFileException, '', ''),
    );
  });

/**
 * Starts a program of Windows that goes on when this one has ended; nobody hears what comes of it.
 *
 * @param commandLine its arguments, as they are to stand in its command line
 * @param folder where it runs
 */
export function leaveTool(file: string, commandLine: readonly string[], folder: string): void {
  const onError = (): void => undefined;
  const options = {
    detached: true,
    stdio: 'ignore',
    windowsHide: true,
    windowsVerbatimArguments: true,
  } as const;
  const child = tryStart(() => spawn(file, [...commandLine], { ...options, cwd: folder }), onError);
  child?.on('error', onError);
  child?.unref();
}
