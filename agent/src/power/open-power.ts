import { DEFAULT_AGENT_POLICY, type NetworkInterface, powerVerbSchema } from '@ai-fabric/shared';
import type { AgentConfig } from '../config/agent-config.js';
import { runTool } from '../identity/run-tool.js';
import { HostPower, type HostPowerOptions } from './host-power.js';
import { linuxPower } from './linux-power.js';
import { magicPacketSender } from './magic-packet-sender.js';
import { PowerError, type PowerPort } from './power-port.js';
import { recordingPower } from './recording-power.js';
import { windowsPower } from './windows-power.js';

export interface OpenPowerOptions
  extends Pick<HostPowerOptions, 'replicas' | 'link' | 'bootId' | 'clock' | 'log'> {
  readonly config: Pick<AgentConfig, 'platform' | 'folders' | 'powerShimPath'>;
  /** What the owner's policy says of power; `null`: it says nothing, and the default holds. */
  readonly allowed: readonly string[] | null;
  /** This host's physical interfaces, as they were read last. */
  readonly interfaces: () => readonly NetworkInterface[];
}

/** The power of this host, behind this system's own way. */
export function openPower({ config, allowed, interfaces, ...rest }: OpenPowerOptions): HostPower {
  const { platform } = config;
  return new HostPower({
    ...rest,
    platform,
    port: openPort(config, rest),
    sendVolley: magicPacketSender(interfaces, rest.clock),
    allowed: powerVerbSchema.options.filter((verb) => (allowed ?? DEFAULT_AGENT_POLICY.power).includes(verb)),
  });
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
