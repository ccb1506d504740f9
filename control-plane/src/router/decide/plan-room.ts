import type { Candidate, CandidateGroup } from '../candidate.js';
import type { RouteRequest } from '../route-types.js';
import { type FilterContext, type FilterSettings, filterCandidate } from './filter-candidate.js';

export interface RoomSettings {
  /**
   * How many tokens a prompt may well have for one that was estimated: the estimate is of text that takes few. What
   * may not fit by this goes to a larger context where there is one.
   */
  readonly doubtRatio: number;
}

/**
 * The least context that a request is sent to: what it may well need, prompt and answer together, or the largest
 * that can serve it now where that is less. Whether it fits there is the engine's to tell, which counts exactly; so
 * this leads a request past a small card, and never refuses it. Only chats are judged: each input of embeddings and
 * scores has the whole context to itself.
 *
 * @param context the filters', with no room asked for
 * @returns tokens; 0: any context will do
 */
export function planRoom(
  request: RouteRequest,
  groups: readonly CandidateGroup[],
  context: FilterContext,
  settings: { readonly filter: FilterSettings; readonly room: RoomSettings },
): number {
  if (request.task !== 'chat') return 0;
  const prompt = Math.ceil((request.estimatedPromptTokens ?? 0) * settings.room.doubtRatio);
  const needed = prompt + (request.maxTokens ?? 0);
  if (!someReplica(groups, ({ contextTokens }) => contextTokens !== null && contextTokens < needed)) return 0;
  let largest = 0;
  for (const group of groups) {
    for (const candidate of candidatesOf(group)) {
      if (filterCandidate(candidate, context, settings.filter) !== null) continue;
      largest = Math.max(largest, contextOf(candidate) ?? needed);
      if (largest >= needed) return needed;
    }
  }
  return largest;
}

/** The largest context that is known of these targets; 0: of none. */
export function largestContext(groups: readonly CandidateGroup[], targets: ReadonlySet<string>): number {
  let largest = 0;
  for (const group of groups) {
    for (const candidate of candidatesOf(group)) {
      if (targets.has(candidate.target)) largest = Math.max(largest, contextOf(candidate) ?? 0);
    }
  }
  return largest;
}

function someReplica(
  groups: readonly CandidateGroup[],
  holds: (replica: { readonly contextTokens: number | null }) => boolean,
): boolean {
  return groups.some((group) => group.kind === 'replicas' && group.candidates.some(holds));
}

function candidatesOf(group: CandidateGroup): readonly Candidate[] {
  return group.kind === 'replicas' ? group.candidates : [group.candidate];
}

/** Of a provider's model none is known. */
function contextOf(candidate: Candidate): number | null {
  return candidate.kind === 'replica' ? candidate.contextTokens : null;
}
