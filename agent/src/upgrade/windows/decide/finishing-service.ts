import type { ToolCall } from '../../../install/windows/decide/service-arguments.js';
import {
  PROGRAM_NAME,
  UPGRADE_SERVICE,
  type WindowsPaths,
} from '../../../install/windows/decide/windows-paths.js';
import { FINISH_VERB } from '../../decide/finish-verb.js';

/** A crash is no end. */
const RESTART_MS = 3_000;
/** `CREATE_ALWAYS`: the log holds the last upgrade alone. */
const MADE_ANEW = 2;

/** Make the service that finishes upgrades, SYSTEM's, which is nothing but named yet. @param folder of the version that does it */
export function makeFinishingCalls(
  { wrapper }: Pick<WindowsPaths, 'wrapper'>,
  folder: string,
): readonly ToolCall[] {
  return [
    [wrapper, ['install', UPGRADE_SERVICE, `${folder}\\${PROGRAM_NAME}`, FINISH_VERB]],
    [wrapper, ['set', UPGRADE_SERVICE, 'DisplayName', 'AI Fabric agent: upgrade']],
  ];
}

/**
 * Sets that service to the version that was there before, which is known to run, and has it started by every boot.
 *
 * @param folder of that version
 */
export function armFinishingCalls(
  { wrapper, dataFolder }: Pick<WindowsPaths, 'wrapper' | 'dataFolder'>,
  folder: string,
  log: string,
): readonly ToolCall[] {
  const settings: readonly (readonly string[])[] = [
    ['Application', `${folder}\\${PROGRAM_NAME}`],
    ['AppParameters', FINISH_VERB],
    ['AppDirectory', folder],
    ['AppEnvironmentExtra', `AI_FABRIC_AGENT_STATE=${dataFolder}`],
    ['AppExit', 'Default', 'Restart'],
    ['AppExit', '0', 'Exit'],
    ['AppRestartDelay', String(RESTART_MS)],
    ['AppThrottle', '0'],
    ['AppStdout', log],
    ['AppStderr', log],
    ['AppStdoutCreationDisposition', String(MADE_ANEW)],
    ['Start', 'SERVICE_AUTO_START'],
  ];
  return settings.map(([name = '', ...values]) => [wrapper, ['set', UPGRADE_SERVICE, name, ...values]]);
}

/** It stays, and nobody starts it. */
export function disarmFinishingCall({ wrapper }: Pick<WindowsPaths, 'wrapper'>): ToolCall {
  return [wrapper, ['set', UPGRADE_SERVICE, 'Start', 'SERVICE_DEMAND_START']];
}
