import type { CandidateGroup } from '../candidate.js';
import type { ListedModel, RouteDecision } from '../route-types.js';
import { contextOf } from './estimate-need.js';
import { longestTarget } from './plan-room.js';
import { readyAfterWakeMs } from './plan-waking.js';

/** What `/v1/models` says of a model: how a request for it would be decided now, in one word. */
export function describeModel(
  decision: RouteDecision,
  groups: readonly CandidateGroup[],
): Pick<ListedModel, 'state' | 'servedBy' | 'contextTokens' | 'readyInSeconds'> {
  // The longest that any takes: a long prompt is sent to one that has room for it.
  const longest = longestTarget(groups);
  const contextTokens = longest === null ? null : contextOf(longest);
  const state = stateOf(decision);
  const readyInMs = WITHOUT_HOST.has(state) ? readyAfterWakeMs(groups) : null;
  const readyInSeconds = readyInMs === null ? null : Math.ceil(readyInMs / 1000);
  return { state, servedBy: servedBy(decision), contextTokens, readyInSeconds };
}

const WITHOUT_HOST: ReadonlySet<ListedModel['state']> = new Set(['asleep', 'waking', 'cloud']);

function stateOf(decision: RouteDecision): ListedModel['state'] {
  if (decision.kind === 'send') return 'ready';
  if (decision.kind === 'cloud' || decision.kind === 'cloudWhileWaking') return 'cloud';
  if (decision.kind !== 'refuse') return 'busy';
  if (decision.code === 'host_asleep') return 'asleep';
  if (decision.code === 'waking') return 'waking';
  if (decision.code === 'no_capacity' || decision.code === 'rate_limited') return 'busy';
  return decision.code === 'host_away' ? 'away' : 'unavailable';
}

function servedBy(decision: RouteDecision): string | null {
  if (decision.kind === 'send') return decision.deployment.name;
  if (decision.kind === 'cloud' || decision.kind === 'cloudWhileWaking')
    return `${decision.provider.name}/${decision.model.name}`;
  return null;
}
