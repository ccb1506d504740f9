import { ownCommand } from '../../own-command.js';
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
    command: ownCommand('upgrade', 'linux'),
    log: 'journalctl -u ai-fabric-agent-helper@upgrade',
  },
  windows: {
    command: ownCommand('upgrade', 'win32'),
    log: 'Get-Content "$env:ProgramData\\AI Fabric\\agent\\logs\\upgrade.log"',
  },
};
