import type { Clock, GoodbyeReason } from '@ai-fabric/shared';
import { type RunTool, runTool } from '../identity/run-tool.js';
import { parseSystemJobs } from './decide/parse-system-jobs.js';
import { raceWithin } from './race-within.js';
import { hasLogind } from './sleep-watch.js';

export interface StopReasonParts {
  readonly tool?: RunTool;
  /** There is systemd here. */
  readonly isAskable?: () => boolean;
}

/** A machine that goes down ends everything at once, and has little time for questions. */
const ANSWER_MS = 4_000;

/**
 * Why this agent was told to stop: the machine goes down, or just the service does. Where there is no systemd to ask,
 * it answers at once, else within four seconds.
 */
export function readStopReason(
  platform: NodeJS.Platform,
  clock: Clock,
  { tool = runTool, isAskable = hasLogind }: StopReasonParts = {},
): Promise<GoodbyeReason> {
  if (platform !== 'linux' || !isAskable()) return Promise.resolve('service_stop');
  const jobs = tool('systemctl', ['list-jobs', '--no-legend', '--no-pager']).then(
    parseSystemJobs,
    (): GoodbyeReason => 'service_stop',
  );
  return raceWithin<GoodbyeReason>(jobs, { deadlineMs: ANSWER_MS, late: 'service_stop', clock });
}
