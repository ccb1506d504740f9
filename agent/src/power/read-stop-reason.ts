import { uptime } from 'node:os';
import type { Clock, GoodbyeReason } from '@ai-fabric/shared';
import { type RunTool, runTool } from '../identity/run-tool.js';
import { parseShutdownEvent, SHUTDOWN_QUERY } from './decide/parse-shutdown-event.js';
import { parseSystemJobs } from './decide/parse-system-jobs.js';
import { raceWithin } from './race-within.js';
import { hasLogind } from './sleep-watch.js';

export interface StopReasonParts {
  readonly platform: NodeJS.Platform;
  readonly windowsDirectory: string;
  readonly clock: Clock;
  readonly tool?: RunTool;
  /** There is systemd here. */
  readonly isAskable?: () => boolean;
  readonly uptimeSeconds?: () => number;
}

/** A machine that goes down ends everything at once, and has little time for questions. */
const ANSWER_MS = 4_000;
/** Windows gives services five seconds by default (`WaitToKillServiceTimeout`), of which the goodbye takes its part. */
const WINDOWS_ANSWER_MS = 2_500;

/**
 * Why this agent was told to stop: the machine goes down, or just the service does. Where nobody can be asked it answers at
 * once, else within four seconds, on Windows within two and a half.
 */
export function readStopReason(parts: StopReasonParts): Promise<GoodbyeReason> {
  const { platform, clock, isAskable = hasLogind } = parts;
  if (platform === 'win32') return within(askWindows(parts), WINDOWS_ANSWER_MS, clock);
  if (platform !== 'linux' || !isAskable()) return Promise.resolve('service_stop');
  return within(askSystemd(parts), ANSWER_MS, clock);
}

function askSystemd({ tool = runTool }: StopReasonParts): Promise<GoodbyeReason> {
  return tool('systemctl', ['list-jobs', '--no-legend', '--no-pager']).then(parseSystemJobs);
}

/** Its service manager tells nobody but a service why it stops, and the wrapper of this one hands on a Ctrl-C for either. */
function askWindows(parts: StopReasonParts): Promise<GoodbyeReason> {
  const { windowsDirectory, clock, tool = runTool, uptimeSeconds = uptime } = parts;
  const bootedAtMs = clock.nowMs() - uptimeSeconds() * 1000;
  return tool(`${windowsDirectory}\\System32\\wevtutil.exe`, SHUTDOWN_QUERY).then((xml) =>
    parseShutdownEvent(xml, bootedAtMs),
  );
}

function within(asked: Promise<GoodbyeReason>, deadlineMs: number, clock: Clock): Promise<GoodbyeReason> {
  const told = asked.catch((): GoodbyeReason => 'service_stop');
  return raceWithin<GoodbyeReason>(told, { deadlineMs, late: 'service_stop', clock });
}
