import { execFile } from 'node:child_process';

/** Runs a program of the operating system and gives what it printed. Rejects when it fails or takes too long. */
export type RunTool = (file: string, args: readonly string[]) => Promise<string>;

const TIMEOUT_MS = 10_000;

export const runTool: RunTool = runToolWithin(TIMEOUT_MS);

/** For programs that wait for others: systemd for a service that stops, a unit that root carries out. */
export function runToolWithin(timeoutMs: number): RunTool {
  return (file, args) =>
    new Promise((resolve, reject) => {
      execFile(file, [...args], { timeout: timeoutMs, windowsHide: true }, (error, stdout) => {
        if (error) reject(error);
        else resolve(stdout);
      });
    });
}
