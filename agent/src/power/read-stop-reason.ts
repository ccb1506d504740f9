import { uptime } from 'node:os';
import type { Clock, GoodbyeReason } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { type RunTool, runTool } from '../identity/run-tool.js';
import { parseShutdownEvent, SHUTDOWN_QUERY } from './decide/parse-shutdown-event.js';
import { parseSystemJobs } from './decide/parse-system-jobs.js';
import { raceWithin } from './race-within.js';
import { hasLogind } from './sleep-watch.js';

export interface StopReasonParts {
  readonly platform: NodeJS.Platform;
  readonly windowsDirectory: string;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  readonly tool?: RunTool;
  /** There is systemd here. */
  readonly isAskable?: () => boolean;
  readonly uptimeSeconds?: () => number;
}

/** A machine that goes down ends everything at once, and has little time for questions. */
const ANSWER_MS = 4_000;
const RETRY_MS = 100;
const MAX_TRIES = 5;
/** Windows gives services five seconds by default (`WaitToKillServiceTimeout`), of which the goodbye takes its part. */
const WINDOWS_ANSWER_MS = 2_500;

/**
 * Why this agent was told to stop: the machine goes down, or just the service does. Where nobody can be asked it answers at
 * once, else within four seconds, on Windows within two and a half.
 */
export function readStopReason(parts: StopReasonParts): Promise<GoodbyeReason> {
  const { platform, isAskable = hasLogind } = parts;
  if (platform === 'win32') return within(askWindows(parts), WINDOWS_ANSWER_MS, parts);
  if (platform !== 'linux' || !isAskable()) return Promise.resolve('service_stop');
  return within(askSystemd(parts), ANSWER_MS, parts);
}

/** A unit that ends its processes together (`KillMode=control-group`) may end the one that asks too. */
async function askSystemd({ tool = runTool, clock }: StopReasonParts): Promise<GoodbyeReason> {
  for (let tries = 1; ; tries += 1) {
    try {
      return parseSystemJobs(await tool('systemctl', ['list-jobs', '--no-legend', '--no-pager']));
    } catch (error) {
      if (tries === MAX_TRIES) throw error;
      await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
    }
  }
}

/** Its service manager tells nobody but a service why it stops, and the wrapper of this one hands on a Ctrl-C for either. */
function askWindows(parts: StopReasonParts): Promise<GoodbyeReason> {
  const { windowsDirectory, clock, tool = runTool, uptimeSeconds = uptime } = parts;
  const bootedAtMs = clock.nowMs() - uptimeSeconds() * 1000;
  return tool(`${windowsDirectory}\\System32\\wevtutil.exe`, SHUTDOWN_QUERY).then((xml) =>
    parseShutdownEvent(xml, bootedAtMs),
  );
}

async function within(
  asked: Promise<GoodbyeReason>,
  deadlineMs: number,
  { clock, log }: StopReasonParts,
): Promise<GoodbyeReason> {
  const told = asked.then(
    (reason) => ({ reason, error: null }),
    (error: unknown) => ({ reason: null, error: String(error) }),
  );
  const late = { reason: null, error: `no answer within ${deadlineMs} ms` };
  const { reason, error } = await raceWithin<Awaited<typeof told>>(told, { deadlineMs, late, clock });
  if (reason === null) log.warn({ error }, 'agent: whether its machine goes down is not known');
  return reason ?? 'service_stop';
}
