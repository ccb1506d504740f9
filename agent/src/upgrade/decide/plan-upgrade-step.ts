import type { Health } from '../health.js';
import type { UpgradeRecord } from '../upgrade-record.js';
import { judgeSeen } from './judge-seen.js';

/** What is known when the next step of a replacement is chosen. */
export interface UpgradeFacts {
  readonly record: UpgradeRecord;
  /** The folder of the version that is current; `null`: none is. */
  readonly current: string | null;
  readonly service: ServiceFacts;
  /** As the agent wrote it last, whichever that was. */
  readonly health: Health | null;
  /** For how long it is being proven, milliseconds. */
  readonly provingMs: number;
  /** For how long the agent that runs was seen linked without a break, milliseconds; `null`: it is not linked. */
  readonly linkedMs: number | null;
}

export interface ServiceFacts {
  /** `null`: it does not run. */
  readonly pid: number | null;
  /** How often it was started anew by itself since it was last told to start. */
  readonly restarts: number;
}

export type UpgradeStep =
  /** Makes a folder the current one; `stage` is what holds then. */
  | { readonly do: 'swap'; readonly folder: string; readonly stage: 'swapped' | 'rolling_back' }
  | { readonly do: 'restart'; readonly stage: 'proving' | 'rolled_back' }
  | { readonly do: 'wait' }
  | { readonly do: 'turn_back'; readonly reason: string }
  | { readonly do: 'end'; readonly stage: 'done' | 'failed'; readonly reason: string | null }
  /** It is over: what was put up for it is taken away. */
  | { readonly do: 'tidy' };

/** A newer agent is linked within this time and finds what the one before found, or that one comes back. */
export const PROVING_MS = 120_000;
/** It counts as linked when the link has stood for so long: a crash right after it is a crash. */
export const STEADY_MS = 3_000;
/** A program that ends so often by itself does not run. */
export const MAX_RESTARTS = 3;
/** A machine that went down so often in it was brought down by it. */
export const MAX_PROOFS = 3;

/**
 * The next step of a replacement, from what its record says and what is found. Any step may have been cut off, before or after
 * it had its effect: carried out again, it is as if once.
 */
export function planUpgradeStep(facts: UpgradeFacts): UpgradeStep {
  const { record, current } = facts;
  const { from, to } = record;
  switch (record.stage) {
    case 'done':
    case 'rolled_back':
    case 'failed':
      return { do: 'tidy' };
    case 'staged':
      if (current !== from.folder && current !== to.folder) return overtaken(current);
      return { do: 'swap', folder: to.folder, stage: 'swapped' };
    case 'swapped':
      return current === to.folder ? { do: 'restart', stage: 'proving' } : overtaken(current);
    case 'proving':
      return current === to.folder ? prove(facts) : overtaken(current);
    case 'rolling_back':
      if (current !== from.folder && current !== to.folder) return overtaken(current);
      return current === from.folder
        ? { do: 'restart', stage: 'rolled_back' }
        : { do: 'swap', folder: from.folder, stage: 'rolling_back' };
    default:
      return record.stage satisfies never;
  }
}

/** Of the agent that systemd runs now, and of the newer version. */
export function isLinked(
  { to }: UpgradeRecord,
  { pid }: Pick<ServiceFacts, 'pid'>,
  health: Health | null,
): boolean {
  return (
    health !== null &&
    pid !== null &&
    health.pid === pid &&
    health.version === to.version &&
    health.linkedSinceMs !== null
  );
}

function prove({ record, service, health, provingMs, linkedMs }: UpgradeFacts): UpgradeStep {
  const { version } = record.to;
  const lack = judgeSeen(record.seenBefore, health?.seen);
  if (linkedMs !== null && linkedMs >= STEADY_MS && lack === null) {
    return { do: 'end', stage: 'done', reason: null };
  }
  if (service.restarts >= MAX_RESTARTS) {
    return turnBack(`${version} does not run: it ended ${service.restarts} times`);
  }
  if (record.proofs > MAX_PROOFS) {
    return turnBack(`this machine went down ${MAX_PROOFS} times while ${version} was being tried`);
  }
  if (provingMs < PROVING_MS) return { do: 'wait' };
  const within = `within ${PROVING_MS / 1_000} s`;
  if (service.pid === null || health?.pid !== service.pid)
    return turnBack(`${version} did not start ${within}`);
  if (health.version !== version)
    return turnBack(`what runs says that it is ${health.version}, not ${version}`);
  if (linkedMs !== null && lack !== null) {
    return turnBack(`${version} is linked, but ${lack} after ${PROVING_MS / 1_000} s`);
  }
  return turnBack(`${version} was not linked ${within}`);
}

function turnBack(reason: string): UpgradeStep {
  return { do: 'turn_back', reason };
}

function overtaken(current: string | null): UpgradeStep {
  return {
    ...{ do: 'end', stage: 'failed' },
    reason: `something else made ${current ?? 'no version'} the current one: an install was run meanwhile`,
  };
}
