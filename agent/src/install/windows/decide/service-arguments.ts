import { SERVICE, type WindowsPaths } from './windows-paths.js';

/** One call of a tool. */
export type ToolCall = readonly [file: string, args: readonly string[]];

/** A goodbye takes two seconds at most; the wrapper waits for so long before it ends the program by force. */
const STOP_MS = 10_000;
export const RESTART_MS = 5_000;
const LOG_BYTES = 10 * 1024 * 1024;
/** Windows and threads of a program that has none: the wrapper need not ask them. */
const SKIP_WINDOWS_AND_THREADS = 2 + 4;

/** Makes the service, of which nothing is set yet. */
export function makeServiceCall({ wrapper }: WindowsPaths, program: string): ToolCall {
  return [wrapper, ['install', SERVICE, program, 'run']];
}

/** Sets everything that the service is, whatever it was before. No value holds a quote: the wrapper joins arguments. */
export function configureServiceCalls(paths: WindowsPaths, program: string): readonly ToolCall[] {
  const { wrapper, dataFolder, logFile, tool } = paths;
  const settings: readonly (readonly string[])[] = [
    ['Application', program],
    ['AppParameters', 'run'],
    ['AppDirectory', program.slice(0, program.lastIndexOf('\\'))],
    ['AppEnvironmentExtra', `AI_FABRIC_AGENT_STATE=${dataFolder}`, 'AI_FABRIC_AGENT_HELPER=nssm'],
    ['DisplayName', 'AI Fabric agent'],
    ['Description', 'Reports this machine to its AI Fabric control plane and keeps its replicas.'],
    ['ObjectName', 'LocalSystem'],
    ['Start', 'SERVICE_AUTO_START'],
    ['AppExit', 'Default', 'Restart'],
    ['AppRestartDelay', String(RESTART_MS)],
    // Otherwise an agent that ends soon is kept waiting longer each time.
    ['AppThrottle', '0'],
    ['AppStopMethodSkip', String(SKIP_WINDOWS_AND_THREADS)],
    ['AppStopMethodConsole', String(STOP_MS)],
    ['AppStdout', logFile],
    ['AppStderr', logFile],
    ['AppRotateFiles', '1'],
    ['AppRotateOnline', '1'],
    ['AppRotateBytes', String(LOG_BYTES)],
  ];
  const again = `restart/${RESTART_MS}`;
  return [
    ...settings.map(([name = '', ...values]): ToolCall => [wrapper, ['set', SERVICE, name, ...values]]),
    // The wrapper itself may die, too.
    [tool('sc'), ['failure', SERVICE, 'reset=', '86400', 'actions=', [again, again, again].join('/')]],
  ];
}
