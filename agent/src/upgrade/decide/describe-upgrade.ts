import type { UpgradeReport } from '@ai-fabric/shared';
import type { UpgradeRecord } from '../upgrade-record.js';
import { isOver } from '../upgrade-record.js';

/** What the agent itself knows of an offer, before root takes it over. */
export interface OwnUpgrade {
  readonly phase: 'offered' | 'fetching' | 'staged' | 'failed';
  readonly version: string;
  readonly detail: string | null;
}

/** For so long it is told how the last one ended. */
export const TOLD_FOR_MS = 24 * 3_600_000;

/**
 * What the agent tells of its upgrade: what root is about or has just ended, else what is offered or being fetched.
 *
 * @param nowMs wall clock
 */
export function describeUpgrade(
  own: OwnUpgrade | null,
  record: UpgradeRecord | null,
  nowMs: number,
): UpgradeReport | null {
  if (record !== null && !isOver(record)) return fromRecord(record);
  if (own !== null) return { phase: own.phase, version: own.version, detail: own.detail };
  if (record === null || Math.abs(nowMs - record.changedAtMs) > TOLD_FOR_MS) return null;
  return fromRecord(record);
}

/** What a report may hold. */
const MAX_DETAIL = 500;

function fromRecord(record: UpgradeRecord): UpgradeReport {
  const phase = record.stage === 'rolling_back' ? 'proving' : record.stage;
  return { phase, version: record.to.version, detail: detailOf(record)?.slice(0, MAX_DETAIL) ?? null };
}

function detailOf({ stage, from, reason, signed }: UpgradeRecord): string | null {
  switch (stage) {
    case 'staged':
    case 'swapped':
    case 'failed':
      return reason;
    case 'proving':
      return `It has to link; else ${from.version} comes back.`;
    case 'rolling_back':
      return `${from.version} is put back: ${reason ?? 'it did not work'}`;
    case 'done':
      return `It took the place of ${from.version}${signed ? '' : '; the release is not signed (a development build)'}.`;
    case 'rolled_back':
      return `${from.version} runs again: ${reason ?? 'it did not work'}`;
    default:
      return stage satisfies never;
  }
}
