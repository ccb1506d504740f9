import type { ResolvedModel } from '../../declared/declared-state.js';
import type { AttemptOutcome, Claim, RouteDecision, RouteRequest } from '../route-types.js';
import type { FakeFabric } from './fake-fabric.js';
import { deploymentOf, providerOf, requestOf, roleOf, stateOf } from './router-fixtures.js';

export const succeeded: AttemptOutcome = { kind: 'succeeded', promptTokens: 1, completionTokens: 1 };
export const failed: AttemptOutcome = { kind: 'failed', code: 'connect_refused' };

export const two = stateOf({
  deployments: [deploymentOf('a'), deploymentOf('b')],
  providers: [providerOf('openai', { cheap: {} })],
  roles: [roleOf('chat-fast', ['a', 'b', 'openai/cheap'])],
  aliases: { 'local/chat': 'chat-fast' },
});
export const one = stateOf({ deployments: [deploymentOf('a')], roles: [roleOf('chat-fast', ['a'])] });

export function resolved({ router }: FakeFabric, model = 'chat-fast'): ResolvedModel {
  const found = router.resolve(model);
  if (found === undefined) throw new Error(`${model} is not known`);
  return found;
}

export function select(
  fabric: FakeFabric,
  more: Partial<RouteRequest> = {},
  model = 'chat-fast',
): RouteDecision {
  return fabric.router.select(requestOf({ resolved: resolved(fabric, model), ...more }));
}

export function targetOf(decision: RouteDecision): string {
  if (decision.kind === 'refuse') return `refused: ${decision.code}`;
  if (decision.kind === 'wakeThenWait') return `wakes ${decision.wake.join(', ')}`;
  if (decision.kind === 'wait') return `waits for ${decision.waitsFor.join(', ')}`;
  return decision.kind === 'send'
    ? decision.deployment.name
    : `${decision.provider.name}/${decision.model.name}`;
}

/** Selects and claims, as the gateway does. */
export function take(fabric: FakeFabric, more: Partial<RouteRequest> = {}, model = 'chat-fast'): Claim {
  const request = requestOf({ resolved: resolved(fabric, model), ...more });
  const decision = fabric.router.select(request);
  if (decision.kind === 'wait' || decision.kind === 'wakeThenWait') throw new Error(targetOf(decision));
  if (decision.kind === 'refuse') throw new Error(decision.detail);
  const claim = fabric.router.claim(decision, request);
  if (claim === null) throw new Error(`the claim on ${targetOf(decision)} was lost`);
  return claim;
}

export const inflight = ({ router }: FakeFabric, target: string): number | undefined =>
  router.gauges().targets.find((gauge) => gauge.target === target)?.inflight;
export const breaker = ({ router }: FakeFabric, target: string): string | undefined =>
  router.gauges().targets.find((gauge) => gauge.target === target)?.breaker;
