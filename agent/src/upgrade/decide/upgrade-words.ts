import type { AgentPlatform } from './judge-release.js';

/** How people of a system are told what to do about an upgrade. */
export interface UpgradeWords {
  /** By which the owner of the host says yes. */
  readonly command: string;
  /** What shows why nobody put in place what was staged. */
  readonly log: string;
}

export const upgradeWords: Readonly<Record<AgentPlatform['os'], UpgradeWords>> = {
  linux: {
    command: 'sudo ai-fabric-agent upgrade',
    log: 'journalctl -u ai-fabric-agent-helper@upgrade',
  },
  windows: {
    command:
      '& "$env:ProgramFiles\\AI Fabric Agent\\ai-fabric-agent.cmd" upgrade (in a PowerShell of an administrator)',
    log: 'Get-Content "$env:ProgramData\\AI Fabric\\agent\\logs\\upgrade.log"',
  },
};
