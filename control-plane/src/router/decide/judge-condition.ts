import type { TargetCondition } from '../../declared/declared-state.js';
import type { Candidate } from '../candidate.js';
import { needsOf } from '../needs.js';
import type { FilterReason, RouteRequest } from '../route-types.js';
import { estimatePrompt } from './estimate-need.js';

/**
 * What of a target's conditions a request does not meet, or `null`. How long others take is no part of it: that is asked
 * when they have been looked at.
 */
export function judgeCondition(
  { maxContext, capabilities, localOnly }: TargetCondition,
  request: RouteRequest,
  candidate: Candidate,
): FilterReason | null {
  if (capabilities !== null && (needsOf(capabilities) & (request.needs ?? 0)) === 0) {
    return 'condition_capability';
  }
  if (localOnly && request.localOnly !== true && request.mayCloud) return 'condition_local';
  if (maxContext === null) return null;
  const tokens = (estimatePrompt(request, candidate) ?? 0) + (request.maxTokens ?? 0);
  return tokens > maxContext ? 'condition_context' : null;
}
