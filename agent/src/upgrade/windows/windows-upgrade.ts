import { readdir, rm } from 'node:fs/promises';
import type { Clock } from '@ai-fabric/shared';
import type { RunTool } from '../../identity/run-tool.js';
import { noteMade } from '../../install/decide/edit-record.js';
import type { Made } from '../../install/install-steps.js';
import { writeWhole } from '../../install/whole-files.js';
import { callTool } from '../../install/windows/call-tool.js';
import type { ServiceState } from '../../install/windows/decide/parse-service.js';
import { RESTART_MS, type ToolCall } from '../../install/windows/decide/service-arguments.js';
import {
  PROGRAM_NAME,
  SERVICE,
  UPGRADE_SERVICE,
  type WindowsRoots,
  windowsPaths,
} from '../../install/windows/decide/windows-paths.js';
import { removeLeftAside } from '../../install/windows/left-aside.js';
import { type Pause, type ServiceManager, serviceManager } from '../../install/windows/service-manager.js';
import { noteInstalled, readHealth, readUpgradeRecord } from '../upgrade-files.js';
import type { UpgradeSystem } from '../upgrade-system.js';
import { countEnds, NOTHING_SEEN } from './decide/count-ends.js';
import { armFinishingCalls, disarmFinishingCall, makeFinishingCalls } from './decide/finishing-service.js';
import { parseAgentProcess, parseApplication } from './decide/parse-wrapper.js';
import { windowsUpgradePaths } from './upgrade-paths.js';

export interface WindowsUpgradeOptions {
  readonly roots: WindowsRoots;
  /** Where a path of Windows is on the machine that works: there itself, but in tests. */
  readonly locate?: (path: string) => string;
  readonly runTool: RunTool;
  readonly clock: Clock;
  readonly pause: Pause;
}

const MADE: Made = { kind: 'service', what: UPGRADE_SERVICE, kept: false };
/** A finisher that is on its way out is gone by then; one that is still there works. */
const ON_ITS_WAY_MS = 5_000;
const LOOK_EVERY_MS = 500;
/** The wrapper and scanners hold files for a moment after their end. */
const HELD = { recursive: true, force: true, maxRetries: 20, retryDelay: 250 } as const;

export interface WindowsUpgradeSystem extends UpgradeSystem {
  /** Whether something brings an upgrade to its end at this moment. */
  isFinishing(): Promise<boolean>;
}

/** Versions in folders, of which the service's wrapper has one to start, and a second service that changes it. */
export function windowsUpgrade(options: WindowsUpgradeOptions): WindowsUpgradeSystem {
  const { roots, runTool, clock, pause, locate: at = (path) => path } = options;
  const paths = windowsPaths(roots);
  const places = windowsUpgradePaths(paths);
  const agent = serviceManager({ paths, runTool, clock, pause });
  const finisher = serviceManager({ name: UPGRADE_SERVICE, paths, runTool, clock, pause });
  const call = (made: ToolCall): Promise<string> => callTool(runTool, made);
  const set = (...values: readonly string[]): Promise<string> =>
    call([paths.wrapper, ['set', SERVICE, ...values]]);
  const current = async (): Promise<string | null> => {
    const name = parseApplication(await call([paths.wrapper, ['get', SERVICE, 'Application']]));
    return name === null ? null : places.version(name);
  };
  let seen = NOTHING_SEEN;
  return {
    isFinishing: async () => !rests(await finisher.state()),
    readRecord: () => readUpgradeRecord(at(places.record)),
    writeRecord: (record) => writeWhole(at(places.record), `${JSON.stringify(record, null, 2)}\n`, 0o644),
    current: () => current().catch(() => null),
    makeCurrent: async (folder) => {
      await set('AppDirectory', folder);
      // Last: by it the version is the current one.
      await set('Application', `${folder}\\${PROGRAM_NAME}`);
    },
    restart: async () => {
      await agent.stop();
      seen = NOTHING_SEEN;
      await agent.start();
    },
    service: async () => {
      const tree = await runTool(paths.wrapper, ['processes', SERVICE]).catch(() => null);
      // Whoever cannot be asked says nothing of the agent.
      if (tree !== null) seen = countEnds(seen, parseAgentProcess(tree), clock.monotonicMs(), RESTART_MS);
      return { pid: seen.pid, restarts: seen.ends };
    },
    health: () => readHealth(at(places.health)),
    arm: async ({ from }) => {
      await noteInstalled(at(paths.recordFile), (record) => noteMade(record, [MADE]));
      const isMade = (await finisher.entry()) !== null;
      const calls = [
        ...(isMade ? [] : makeFinishingCalls(paths, from.folder)),
        ...armFinishingCalls(paths, from.folder, places.log),
      ];
      for (const each of calls) await call(each);
    },
    startFinishing: () => startFinishing(finisher, options, call),
    disarm: async () => {
      if ((await finisher.entry()) !== null) await call(disarmFinishingCall(paths));
    },
    noteVersion: (version) => noteInstalled(at(paths.recordFile), (record) => ({ ...record, version })),
    keepOnly: async (folders) => {
      const kept = new Set([...folders, await current()].flatMap((folder) => folder?.toLowerCase() ?? []));
      for (const name of await readdir(at(paths.versionsFolder)).catch(() => [])) {
        const folder = places.version(name);
        // One whose program somebody still runs goes with the next upgrade.
        if (!kept.has(folder.toLowerCase())) await rm(at(folder), HELD).catch(() => undefined);
      }
      await rm(at(places.staged), HELD).catch(() => undefined);
      await removeLeftAside(roots, at);
    },
  };
}

/** @throws Error where the service manager does not start it */
async function startFinishing(
  finisher: ServiceManager,
  { roots, clock, pause }: WindowsUpgradeOptions,
  call: (made: ToolCall) => Promise<string>,
): Promise<void> {
  const paths = windowsPaths(roots);
  const worksFromMs = clock.monotonicMs() + ON_ITS_WAY_MS;
  while (!rests(await finisher.state())) {
    if (clock.monotonicMs() >= worksFromMs) return;
    await pause(LOOK_EVERY_MS);
  }
  await call([paths.tool('sc'), ['start', UPGRADE_SERVICE]]).catch(async (error: unknown) => {
    // Windows may have started it by itself, at a boot.
    if (rests(await finisher.state())) throw error;
  });
}

function rests(state: ServiceState): boolean {
  return state === 'stopped' || state === 'absent';
}
