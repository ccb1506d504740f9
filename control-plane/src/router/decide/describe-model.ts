import type { CandidateGroup } from '../candidate.js';
import type { ListedModel, RouteDecision } from '../route-types.js';

/** What `/v1/models` says of a model: how a request for it would be decided now, in one word. */
export function describeModel(
  decision: RouteDecision,
  groups: readonly CandidateGroup[],
): Pick<ListedModel, 'state' | 'servedBy' | 'contextTokens'> {
  return { state: stateOf(decision), servedBy: servedBy(decision), contextTokens: longestContext(groups) };
}

function stateOf(decision: RouteDecision): ListedModel['state'] {
  if (decision.kind === 'send') return 'ready';
  if (decision.kind === 'cloud') return 'cloud';
  if (decision.kind === 'wait') return 'busy';
  if (decision.code === 'no_capacity' || decision.code === 'rate_limited') return 'busy';
  return decision.code === 'host_away' ? 'away' : 'unavailable';
}

function servedBy(decision: RouteDecision): string | null {
  if (decision.kind === 'send') return decision.deployment.name;
  if (decision.kind === 'cloud') return `${decision.provider.name}/${decision.model.name}`;
  return null;
}

/** The longest that any of its replicas takes: the router sends a long prompt to one that has room for it. */
function longestContext(groups: readonly CandidateGroup[]): number | null {
  let longest: number | null = null;
  for (const group of groups) {
    if (group.kind === 'provider') continue;
    for (const { contextTokens } of group.candidates) {
      if (contextTokens !== null && (longest === null || contextTokens > longest)) longest = contextTokens;
    }
  }
  return longest;
}
