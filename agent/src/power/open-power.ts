import { uptime } from 'node:os';
import { DEFAULT_AGENT_POLICY, powerVerbSchema } from '@ai-fabric/shared';
import type { AgentConfig } from '../config/agent-config.js';
import { runTool } from '../identity/run-tool.js';
import type { ReplicaKeepers } from '../replica/replica-keepers.js';
import type { Reporter } from '../reporter/reporter.js';
import { type RootHelper, rootHelper } from '../root-helper/root-helper.js';
import { judgeRepair } from './decide/judge-repair.js';
import { helpedPower } from './helped-power.js';
import { HostPower, type HostPowerOptions } from './host-power.js';
import { linuxPower } from './linux-power.js';
import { magicPacketSender } from './magic-packet-sender.js';
import { PowerError, type PowerPort } from './power-port.js';
import { recordingPower } from './recording-power.js';
import { ResumeRepair } from './resume-repair.js';
import { hasLogind, watchSleep } from './sleep-watch.js';
import { windowsPower } from './windows-power.js';

export interface OpenPowerOptions
  extends Pick<HostPowerOptions, 'link' | 'bootId' | 'park' | 'clock' | 'log'> {
  readonly config: Pick<AgentConfig, 'platform' | 'folders' | 'powerShimPath' | 'asksHelper'>;
  readonly replicas: ReplicaKeepers;
  readonly reporter: Pick<Reporter, 'interfaces' | 'status' | 'powerIssues'>;
  /** What the owner's policy says of power; `null`: it says nothing, and the default holds. */
  readonly allowed: readonly string[] | null;
}

export interface OpenedPower {
  readonly host: HostPower;
  /** From here on it hears of suspends, and holds a machine awake that was just woken. */
  start(): void;
  close(): void;
}

/** logind waits five seconds for us. */
const STOP_BEFORE_SLEEP_MS = 4_000;
/** A machine that was woken from power-off counts as just woken for so long. */
const JUST_BOOTED_SECONDS = 600;

/** The power of this host, behind this system's own way. */
export function openPower({ config, allowed: said, reporter, ...rest }: OpenPowerOptions): OpenedPower {
  const { platform, powerShimPath } = config;
  const helper = config.asksHelper ? rootHelper() : null;
  const { clock, log, replicas } = rest;
  const allowed = powerVerbSchema.options.filter((verb) =>
    (said ?? DEFAULT_AGENT_POLICY.power).includes(verb),
  );
  const host: HostPower = new HostPower({
    ...rest,
    ...{ platform, allowed },
    port: openPort(config, helper, rest),
    sendVolley: magicPacketSender(() => reporter.interfaces(), clock),
    repair: new ResumeRepair({
      ...{ platform, clock, log },
      health: () => judgeRepair(replicas.desired(), replicas.statuses(), reporter.status().issues),
      restart: (meanwhile) => restartEngines(replicas, meanwhile),
      reloadDriver: driverReload(config, helper),
      reboot: allowed.includes('reboot') ? (why) => host.reboot(why) : null,
      onIssues: (issues) => reporter.powerIssues(issues),
    }),
  });
  let watch: { close(): void } | null = null;
  return {
    host,
    start: () => {
      host.start();
      if (uptime() < JUST_BOOTED_SECONDS) void host.holdAfterWake();
      if (platform !== 'linux' || powerShimPath !== null || !hasLogind()) return;
      watch = watchSleep({
        ...{ clock, log },
        onAboutToSleep: () => host.systemSuspends(STOP_BEFORE_SLEEP_MS),
        onAwake: () => host.resumed(),
      });
    },
    close: () => {
      watch?.close();
      host.close();
    },
  };
}

/** What holds a card does not let its driver be loaded anew. */
async function restartEngines(
  replicas: Pick<ReplicaKeepers, 'holdDown' | 'release'>,
  meanwhile: () => Promise<void>,
): Promise<void> {
  try {
    await replicas.holdDown('repair', { action: 'stop', drainSeconds: 0 });
    await meanwhile();
  } finally {
    replicas.release('repair');
  }
}

/** @returns `null`: this agent has no way to do it */
function driverReload(
  { platform, powerShimPath }: OpenPowerOptions['config'],
  helper: RootHelper | null,
): (() => Promise<void>) | null {
  if (platform !== 'linux' || powerShimPath !== null) return null;
  if (helper !== null) return () => helper.ask('reload-uvm').then(() => undefined);
  return process.getuid?.() === 0 ? reloadDriver : null;
}

/** CUDA's own part of the driver: what usually does not survive a suspend. */
async function reloadDriver(): Promise<void> {
  await runTool('modprobe', ['--remove', 'nvidia_uvm']);
  await runTool('modprobe', ['nvidia_uvm']);
}

function openPort(
  { platform, folders, powerShimPath }: OpenPowerOptions['config'],
  helper: RootHelper | null,
  { clock, log }: Pick<HostPowerOptions, 'clock' | 'log'>,
): PowerPort {
  if (powerShimPath !== null) return recordingPower(powerShimPath);
  if (platform === 'linux') {
    const own = linuxPower({ runTool, log });
    return helper === null ? own : helpedPower(own, helper);
  }
  if (platform === 'win32') return windowsPower({ windowsDirectory: folders.windows, runTool, clock, log });
  return noPower(platform);
}

function noPower(platform: NodeJS.Platform): PowerPort {
  const refuse = (): Promise<never> =>
    Promise.reject(new PowerError('power_not_supported', `This agent has no way to do it on ${platform}.`));
  return { act: refuse, hold: refuse, release: () => undefined, close: () => undefined };
}
