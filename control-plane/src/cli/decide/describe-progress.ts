import type { z } from 'zod';
import type { deploymentSchema } from '../../api/deployment-schemas.js';

export type Observed = NonNullable<z.infer<typeof deploymentSchema>['observed']>;

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

/**
 * Where a replica stands, in one line: "pulling, 3.1 of 9.8 GiB, 40 s so far", "loading, usually 48 s, 31 s so far".
 *
 * @param nowMs server's clock
 */
export function describeProgress(observed: Observed | null, nowMs: number): string {
  if (observed === null) return 'not reported yet';
  const { status, phaseSinceMs } = observed;
  const parts: string[] = [status.phase];
  if (isUnderWay(status.phase)) {
    if (status.progress) parts.push(describeBytes(status.progress));
    if (status.usualPhaseSeconds) parts.push(`usually ${seconds(status.usualPhaseSeconds.p50)}`);
    parts.push(`${seconds(Math.max(0, (nowMs - phaseSinceMs) / 1000))} so far`);
  } else if (status.detail !== null) parts.push(status.detail);
  return parts.filter((part) => part !== '').join(', ');
}

/** Phases that pass by themselves. */
function isUnderWay(phase: Observed['status']['phase']): boolean {
  return !['absent', 'ready', 'parked', 'failed', 'crash_looping'].includes(phase);
}

function describeBytes({ doneBytes, totalBytes, text }: NonNullable<Observed['status']['progress']>): string {
  if (doneBytes === null) return text;
  if (totalBytes === null) return `${amount(doneBytes)} so far`;
  const [unit, size] = totalBytes >= GIB ? (['GiB', GIB] as const) : (['MiB', MIB] as const);
  return `${(doneBytes / size).toFixed(1)} of ${(totalBytes / size).toFixed(1)} ${unit}`;
}

function amount(bytes: number): string {
  return bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${(bytes / MIB).toFixed(1)} MiB`;
}

function seconds(count: number): string {
  if (count < 600) return `${Math.round(count)} s`;
  return `${Math.round(count / 60)} min`;
}
