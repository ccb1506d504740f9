import { resolve } from 'node:path';
import { CliError, exitCodes } from '../../exit-codes.js';
import { DEFAULT_WAIT_MS } from '../install-service.js';
import { type Machine, thisMachine } from '../machine.js';

export interface CommonFlags {
  readonly dryRun?: boolean;
  readonly root?: string;
  /** Milliseconds. */
  readonly wait?: number;
  readonly json?: boolean;
}

/** What is done is told while it is done; with --json that is no part of the answer. */
export function machineOf({ root, json }: CommonFlags): Machine {
  if (process.platform !== 'linux') {
    const fix = 'run "ai-fabric up" under the service manager of this system';
    throw new CliError(exitCodes.refused, 'the control plane is installed as a service on Linux alone', fix);
  }
  const say = json === true ? console.error : console.log;
  return thisMachine(root === undefined ? '/' : resolve(root), (line) => say(line));
}

export function waitOf({ wait = DEFAULT_WAIT_MS }: CommonFlags): number {
  return wait;
}

/** Of what only makes sense on a machine that runs. @throws CliError */
export function refuseImage({ root }: CommonFlags, what: string): void {
  if (root === undefined || root === '/') return;
  throw new CliError(exitCodes.usage, `${what} needs a machine that runs, not an image`, 'leave --root out');
}
