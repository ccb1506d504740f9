import { startCommand } from '../../own-command.js';
import { runLine } from '../run-line.js';

export interface StartFacts {
  readonly platform: NodeJS.Platform;
  /** The agent that was asked for is the one that an install made a service of. */
  readonly isService: boolean;
  /** What `--state` was, if it was. */
  readonly state: string | undefined;
}

/** How an agent that does not run is started: a service by its manager, since run by hand it would make another key. */
export function startLine({ platform, isService, state }: StartFacts): string {
  if (!isService) return runLine(state);
  const command = startCommand(platform);
  return platform === 'win32' ? `${command} (in a PowerShell of an administrator)` : command;
}
