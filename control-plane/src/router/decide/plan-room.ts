import type { Candidate, CandidateGroup } from '../candidate.js';
import type { RouteRequest } from '../route-types.js';
import { contextOf, needAt } from './estimate-need.js';
import { conditionOf, type FilterContext, type FilterSettings, filterCandidate } from './filter-candidate.js';

/** The least context that a request is sent to. */
export interface Room {
  /** Only to what has room for all that it may well need. */
  readonly mustFit: boolean;
  /** Tokens, where nothing has; 0: any will do. */
  readonly tokens: number;
}

export const ANY_ROOM: Room = { mustFit: false, tokens: 0 };

/**
 * A request is sent to what has room for all that it may well need, prompt and answer together, or to the largest
 * that can serve it now where nothing has. Whether it fits there is the engine's to tell, which counts exactly; so
 * this leads a request past a small card, and never refuses it. Only chats are judged: each input of
 * embeddings and scores has the whole context to itself.
 *
 * @param context the filters', with no room asked for
 */
export function planRoom(
  request: RouteRequest,
  groups: readonly CandidateGroup[],
  context: FilterContext,
  settings: FilterSettings,
): Room {
  if (request.task !== 'chat') return ANY_ROOM;
  const fits = (candidate: Candidate): boolean => {
    const most = contextOf(candidate);
    return most === null || most >= needAt(request, candidate, settings);
  };
  if (groups.every((group) => candidatesOf(group).every(fits))) return ANY_ROOM;
  let largest = 0;
  for (const group of groups) {
    const candidates = candidatesOf(group);
    for (let index = 0; index < candidates.length; index++) {
      const candidate = candidates[index] as Candidate;
      if (filterCandidate(candidate, context, settings, conditionOf(group, index)) !== null) continue;
      if (fits(candidate)) return { mustFit: true, tokens: 0 };
      largest = Math.max(largest, contextOf(candidate) ?? 0);
    }
  }
  return { mustFit: false, tokens: largest };
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

/** The target that takes the longest requests; `null`: of none it is known. */
export function longestTarget(groups: readonly CandidateGroup[]): Candidate | null {
  let longest: Candidate | null = null;
  for (const group of groups) {
    for (const candidate of candidatesOf(group)) {
      const tokens = contextOf(candidate);
      if (tokens !== null && tokens > (longest === null ? 0 : (contextOf(longest) ?? 0))) longest = candidate;
    }
  }
  return longest;
}

function candidatesOf(group: CandidateGroup): readonly Candidate[] {
  return group.kind === 'replicas' ? group.candidates : [group.candidate];
}
