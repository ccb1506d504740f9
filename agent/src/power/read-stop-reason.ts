import type { Clock, GoodbyeReason } from '@ai-fabric/shared';
import { runTool } from '../identity/run-tool.js';
import { parseSystemJobs } from './decide/parse-system-jobs.js';
import { raceWithin } from './race-within.js';
import { hasLogind } from './sleep-watch.js';

/** Whoever stops us does not wait long. */
const ANSWER_MS = 500;

/** Why this agent was told to stop: the machine goes down, or just the service does. Answers within half a second. */
export function readStopReason(platform: NodeJS.Platform, clock: Clock): Promise<GoodbyeReason> {
  if (platform !== 'linux' || !hasLogind()) return Promise.resolve('service_stop');
  const jobs = runTool('systemctl', ['list-jobs', '--no-legend', '--no-pager']).then(
    parseSystemJobs,
    (): GoodbyeReason => 'service_stop',
  );
  return raceWithin<GoodbyeReason>(jobs, { deadlineMs: ANSWER_MS, late: 'service_stop', clock });
}
