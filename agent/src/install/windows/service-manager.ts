import type { Clock } from '@ai-fabric/shared';
import type { RunTool } from '../../identity/run-tool.js';
import {
  parseServiceEntry,
  parseServiceState,
  type ServiceEntry,
  type ServiceState,
} from './decide/parse-service.js';
import { SERVICE, serviceKey, type WindowsPaths } from './decide/windows-paths.js';

/** A service of ours, as Windows' service manager keeps it. */
export interface ServiceManager {
  /** `null`: there is none of that name. */
  entry(): Promise<ServiceEntry | null>;
  state(): Promise<ServiceState>;
  /** Returns when it runs. @throws Error with its state where it does not come up */
  start(): Promise<void>;
  /** Returns when it has stopped; one that does not run, or is not there, is no error. @throws Error where it goes on */
  stop(): Promise<void>;
  /** @throws Error where it is still there afterwards */
  remove(): Promise<void>;
}

/** The agent's own goodbye takes two seconds, and the wrapper waits for ten. */
const DEADLINE_MS = 60_000;
const LOOK_EVERY_MS = 250;

/** A clock's own timers keep no process: what waits for nothing else would end in silence. */
export type Pause = (delayMs: number) => Promise<unknown>;

export interface ServiceManagerOptions {
  /** By default the agent's. */
  readonly name?: string;
  readonly paths: Pick<WindowsPaths, 'tool'>;
  readonly runTool: RunTool;
  readonly clock: Clock;
  readonly pause: Pause;
}

export function serviceManager(options: ServiceManagerOptions): ServiceManager {
  const { name = SERVICE, paths, runTool, clock, pause } = options;
  const sc = (verb: string): Promise<string> => runTool(paths.tool('sc'), [verb, name]);
  const entry = async (): Promise<ServiceEntry | null> => {
    const found = await runTool(paths.tool('reg'), ['query', serviceKey(name)]).catch(() => null);
    return found === null ? null : parseServiceEntry(found);
  };
  const state = async (): Promise<ServiceState> => parseServiceState(await sc('query').catch(() => ''));
  const reaches = async (what: string, wanted: readonly ServiceState[]): Promise<void> => {
    const endMs = clock.monotonicMs() + DEADLINE_MS;
    for (;;) {
      const now = await state();
      if (wanted.includes(now)) return;
      if (clock.monotonicMs() >= endMs) {
        throw new Error(`${name} is to be ${what}, and is ${now} after ${DEADLINE_MS / 1_000} s`);
      }
      await pause(LOOK_EVERY_MS);
    }
  };
  return {
    entry,
    state,
    start: async () => {
      if ((await state()) !== 'running') await sc('start');
      await reaches('running', ['running']);
    },
    stop: async () => {
      const now = await state();
      if (now === 'stopped' || now === 'absent') return;
      if (now !== 'stop_pending') await sc('stop');
      await reaches('stopped', ['stopped', 'absent']);
    },
    remove: async () => {
      if ((await entry()) === null) return;
      await sc('delete');
      const left = await state();
      if (left !== 'absent') {
        throw new Error(`${name} is still there (${left}): close services.msc and whatever else shows it`);
      }
    },
  };
}
