import type { Clock, PowerVerb } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { RunTool } from '../identity/run-tool.js';
import type { HelperVerb } from './decide/read-helper-line.js';
import { PowerError, type PowerPort } from './power-port.js';
import { WindowsHelper } from './windows-helper.js';
import { WINDOWS_HELPER_SCRIPT } from './windows-helper-script.js';

export interface WindowsPowerOptions {
  readonly windowsDirectory: string;
  readonly runTool: RunTool;
  readonly clock: Clock;
  readonly log: Logger;
  /** How the helper is started; by default Windows PowerShell with our script. */
  readonly helper?: { readonly file: string; readonly args: readonly string[] };
}

/** A machine that suspends answers when it is back. So long after the order it counts as taken. */
const TAKEN_MS = 30_000;
const ANSWER_MS = 10_000;

/** Windows' own: one helper child for what only an API does, `shutdown.exe` for the rest. */
export function windowsPower(options: WindowsPowerOptions): PowerPort {
  const { windowsDirectory, runTool, clock, log } = options;
  const system = `${windowsDirectory}\\System32`;
  const command = options.helper ?? {
    file: `${system}\\WindowsPowerShell\\v1.0\\powershell.exe`,
    args: ['-NoLogo', '-NoProfile', '-NonInteractive', '-Command', WINDOWS_HELPER_SCRIPT],
  };
  const helper = new WindowsHelper({ ...command, clock, log });
  const ask = async (verb: HelperVerb, waitMs: number): Promise<void> => {
    const answer = await helper.ask(verb, waitMs);
    if (answer.kind === 'failed')
      throw new PowerError(codeOf(answer.code), `Windows did not ${verb}: ${answer.detail}`);
    if (answer.kind === 'late' && verb === 'hold') {
      throw new PowerError('power_failed', 'The helper that holds Windows awake does not answer.');
    }
  };
  const shutdown = async (flag: '/s' | '/r'): Promise<void> => {
    try {
      await runTool(`${system}\\shutdown.exe`, [flag, '/t', '0', '/d', 'p:0:0']);
    } catch (error) {
      throw new PowerError('power_failed', String(error instanceof Error ? error.message : error));
    }
  };
  const acts: Readonly<Record<PowerVerb, () => Promise<void>>> = {
    suspend: () => ask('suspend', TAKEN_MS),
    hibernate: () => ask('hibernate', TAKEN_MS),
    // Without `/hybrid`, so that Fast Startup has no part in it: a machine that was shut down that way does not wake.
    poweroff: () => shutdown('/s'),
    reboot: () => shutdown('/r'),
  };
  return {
    act: (verb) => acts[verb](),
    hold: () => ask('hold', ANSWER_MS),
    // Its execution state ends with it, and with it the memory that a PowerShell takes.
    release: () => helper.end(),
    close: () => helper.end(),
  };
}

/** ERROR_ACCESS_DENIED, ERROR_PRIVILEGE_NOT_HELD, ERROR_NOT_SUPPORTED of winerror.h. */
function codeOf(windowsCode: number): PowerError['code'] {
  if (windowsCode === 5 || windowsCode === 1314) return 'power_denied';
  return windowsCode === 50 ? 'power_not_supported' : 'power_failed';
}
