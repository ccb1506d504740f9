import { uptime } from 'node:os';
import { DEFAULT_AGENT_POLICY, type NetworkInterface, powerVerbSchema } from '@ai-fabric/shared';
import type { AgentConfig } from '../config/agent-config.js';
import { runTool } from '../identity/run-tool.js';
import { HostPower, type HostPowerOptions } from './host-power.js';
import { linuxPower } from './linux-power.js';
import { magicPacketSender } from './magic-packet-sender.js';
import { PowerError, type PowerPort } from './power-port.js';
import { recordingPower } from './recording-power.js';
import { hasLogind, watchSleep } from './sleep-watch.js';
import { windowsPower } from './windows-power.js';

export interface OpenPowerOptions
  extends Pick<HostPowerOptions, 'replicas' | 'link' | 'bootId' | 'clock' | 'log'> {
  readonly config: Pick<AgentConfig, 'platform' | 'folders' | 'powerShimPath'>;
  /** What the owner's policy says of power; `null`: it says nothing, and the default holds. */
  readonly allowed: readonly string[] | null;
  /** This host's physical interfaces, as they were read last. */
  readonly interfaces: () => readonly NetworkInterface[];
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
export function openPower({ config, allowed, interfaces, ...rest }: OpenPowerOptions): OpenedPower {
  const { platform, powerShimPath } = config;
  const { clock, log } = rest;
  const host = new HostPower({
    ...rest,
    platform,
    port: openPort(config, rest),
    sendVolley: magicPacketSender(interfaces, clock),
    allowed: powerVerbSchema.options.filter((verb) => (allowed ?? DEFAULT_AGENT_POLICY.power).includes(verb)),
  });
  let watch: { close(): void } | null = null;
  return {
    host,
    start: () => {
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

function openPort(
  { platform, folders, powerShimPath }: OpenPowerOptions['config'],
  { clock, log }: Pick<HostPowerOptions, 'clock' | 'log'>,
): PowerPort {
  if (powerShimPath !== null) return recordingPower(powerShimPath);
  if (platform === 'linux') return linuxPower({ runTool, log });
  if (platform === 'win32') return windowsPower({ windowsDirectory: folders.windows, runTool, clock, log });
  return noPower(platform);
}

function noPower(platform: NodeJS.Platform): PowerPort {
  const refuse = (): Promise<never> =>
    Promise.reject(new PowerError('power_not_supported', `This agent has no way to do it on ${platform}.`));
  return { act: refuse, hold: refuse, release: () => undefined, close: () => undefined };
}
