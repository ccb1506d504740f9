import { execFile } from 'node:child_process';

/** Runs a program of the operating system. Rejects when it fails or takes too long. */
export type RunTool = (file: string, args: readonly string[]) => Promise<void>;

const TIMEOUT_MS = 10_000;

export const runTool: RunTool = (file, args) =>
  new Promise((resolve, reject) => {
    execFile(file, [...args], { timeout: TIMEOUT_MS, windowsHide: true }, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
