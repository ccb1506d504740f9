import type { QueueOutlook } from '../../router/route-types.js';
import type { Refusal } from './describe-refusal.js';
import { ERROR_TABLE } from './error-table.js';

/** `3 ahead, about 9 s`, for people. */
export function describeOutlook({ position, etaMs }: QueueOutlook): string {
  const ahead = position === 1 ? 'next in the queue' : `${position - 1} ahead`;
  return etaMs === null ? ahead : `${ahead}, about ${aboutSeconds(etaMs)} s`;
}

/** A refusal for want of a target, with how the request stood in the queue. @param wasHeld else: how it would stand there */
export function withOutlook(refusal: Refusal, outlook: QueueOutlook, wasHeld: boolean): Refusal {
  const { error } = refusal;
  if (ERROR_TABLE[error.code].status !== 503) return refusal;
  const { position, etaMs } = outlook;
  const place = `it ${wasHeld ? 'was' : 'would be'} number ${position} in the queue`;
  const turn = etaMs === null ? place : `${place}, about ${aboutSeconds(etaMs)} s from its turn`;
  const message = `${error.message.replace(/\.$/, '')}; ${turn}`;
  return { ...refusal, error: { ...error, message }, outlook };
}

function aboutSeconds(ms: number): number {
  return Math.max(1, Math.round(ms / 1000));
}
