import type { UpgradeMode } from '@ai-fabric/shared';
import { ownCommand } from '../../own-command.js';

export interface ConsentFacts {
  /** As agent.yaml says, read where the agent cannot write. */
  readonly mode: UpgradeMode;
  /** The release that the owner said yes to; `null`: none. */
  readonly approvedSha256: string | null;
  /** Of the release that is staged. */
  readonly manifestSha256: string;
  readonly platform: NodeJS.Platform;
}

/** Why root does not put a release in place, whatever the agent asks for; `null`: it may. */
export function judgeConsent({
  mode,
  approvedSha256,
  manifestSha256,
  platform,
}: ConsentFacts): string | null {
  switch (mode) {
    case 'off':
      return '"upgrades" in agent.yaml is off.';
    case 'confirm':
      if (approvedSha256 === manifestSha256) return null;
      return `The owner of this host has not said yes to this release: ${ownCommand('upgrade', platform)}`;
    case 'auto':
      return null;
    default:
      return mode satisfies never;
  }
}
