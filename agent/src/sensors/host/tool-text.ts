import { execFile } from 'node:child_process';
import { tryStart } from '../../identity/try-start.js';

/** What a tool of the system printed; empty where it is not there, fails or takes too long: then nothing is known. */
export type ToolText = (file: string, args: readonly string[]) => Promise<string>;

const TIMEOUT_MS = 5_000;
/** A PowerShell takes seconds to start on a busy machine. */
const SLOW_TIMEOUT_MS = 20_000;
const MAX_BYTES = 1024 * 1024;

export const toolText: ToolText = (file, args) => run(file, args, TIMEOUT_MS, 'latin1');

/** For PowerShell, whose output we ask to be UTF-8. */
export const slowToolText: ToolText = (file, args) => run(file, args, SLOW_TIMEOUT_MS, 'utf8');

function run(
  file: string,
  args: readonly string[],
  timeout: number,
  encoding: 'latin1' | 'utf8',
): Promise<string> {
  return new Promise((resolve) => {
    const options = { timeout, windowsHide: true, encoding, maxBuffer: MAX_BYTES };
    const child = tryStart(
      () => execFile(file, [...args], options, (error, stdout) => resolve(error ? '' : stdout)),
      () => resolve(''),
    );
    child?.stdin?.end();
  });
}
