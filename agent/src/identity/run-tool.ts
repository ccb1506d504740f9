import { execFile, spawn } from 'node:child_process';

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

/**
 * Starts a program of Windows that goes on when this one has ended; nobody hears what comes of it.
 *
 * @param commandLine its arguments, as they are to stand in its command line
 * @param folder where it runs
 */
export function leaveTool(file: string, commandLine: readonly string[], folder: string): void {
  const child = spawn(file, [...commandLine], {
    ...{ detached: true, stdio: 'ignore', windowsHide: true, windowsVerbatimArguments: true },
    cwd: folder,
  });
  child.on('error', () => undefined);
  child.unref();
}
