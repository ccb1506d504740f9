import { compareVersions, type UpgradeMode } from '@ai-fabric/shared';

export interface OfferFacts {
  readonly mode: UpgradeMode;
  /** Of the agent that runs. */
  readonly ownVersion: string;
  readonly version: string;
  readonly manifestSha256: string;
  /** Another one is being fetched or put in place. */
  readonly isUnderWay: boolean;
  /** The release that was rolled back here last; `null`: none was. */
  readonly rolledBackSha256: string | null;
  /** By which its owner says yes. */
  readonly command: string;
}

export type OfferRefusal = 'upgrades_off' | 'older_version' | 'same_version' | 'upgrade_under_way';

export type OfferVerdict =
  | { readonly do: 'refuse'; readonly code: OfferRefusal; readonly detail: string }
  /** Its owner is to say yes. */
  | { readonly do: 'keep'; readonly detail: string }
  | { readonly do: 'begin' };

/** What becomes of a release that the control plane tells of. */
export function judgeOffer(facts: OfferFacts): OfferVerdict {
  const { mode, ownVersion, version, manifestSha256, isUnderWay, rolledBackSha256, command } = facts;
  if (mode === 'off') {
    return refuse('upgrades_off', 'The owner of this host wants no upgrades: "upgrades: off" in agent.yaml.');
  }
  const order = compareVersions(version, ownVersion);
  if (order === 0) return refuse('same_version', `This agent is version ${ownVersion} already.`);
  if (order === null || order < 0) {
    return refuse('older_version', `This agent is version ${ownVersion}, and ${version} is no later one.`);
  }
  if (isUnderWay) return refuse('upgrade_under_way', 'An upgrade is under way: ask again when it is over.');
  if (mode === 'confirm') return { do: 'keep', detail: `Waits for the owner of the host: ${command}` };
  // By itself it would be tried for ever.
  if (rolledBackSha256 === manifestSha256) {
    return { do: 'keep', detail: `It was rolled back here before. To try it again: ${command}` };
  }
  return { do: 'begin' };
}

function refuse(code: OfferRefusal, detail: string): OfferVerdict {
  return { do: 'refuse', code, detail };
}
