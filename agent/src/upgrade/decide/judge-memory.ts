import { compareVersions } from '@ai-fabric/shared';
import type { OfferMemory } from '../offer-memory.js';
import { isOver, type UpgradeRecord } from '../upgrade-record.js';

/** What an agent that starts does about what it remembers. */
export type MemoryVerdict =
  | { readonly do: 'forget' }
  /** It waits for the owner, or for root. */
  | { readonly do: 'keep' }
  /** It was cut off in its fetching. */
  | { readonly do: 'go_on' }
  | { readonly do: 'give_up'; readonly reason: string };

/** An agent that ended so often in fetching a release does not fetch it. */
export const MAX_ATTEMPTS = 3;

/** @param ownVersion of the agent that starts */
export function judgeMemory(
  memory: OfferMemory,
  record: UpgradeRecord | null,
  ownVersion: string,
): MemoryVerdict {
  // It is here, or something later is.
  if ((compareVersions(memory.version, ownVersion) ?? 0) <= 0) return { do: 'forget' };
  if (record !== null && !isOver(record)) return { do: 'keep' };
  if (memory.phase === 'offered' || memory.phase === 'failed') return { do: 'keep' };
  const isEnded =
    record !== null && record.manifestSha256 === memory.manifestSha256 && memory.phase === 'staged';
  if (isEnded && record.changedAtMs >= memory.begunAtMs) return { do: 'forget' };
  if (memory.attempts < MAX_ATTEMPTS) return { do: 'go_on' };
  return { do: 'give_up', reason: `The agent ended ${MAX_ATTEMPTS} times while it was being fetched.` };
}
