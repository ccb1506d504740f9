import { reachOf } from '../declared/decide/reach-of.js';
import type { DeclaredDeployment } from '../declared/declared-state.js';
import type { RouteDecision } from '../router/route-types.js';
import { type AttemptFailure, attemptFailure } from './decide/attempt-failure.js';
import type { EngineEndpoint } from './decide/match-endpoint.js';
import { type TraceContext, upstreamHeaders } from './decide/upstream-headers.js';
import type { GatewayParts } from './gateway-parts.js';
import type { TargetAddress } from './upstream/target-address.js';

export type Chosen = Extract<RouteDecision, { kind: 'send' | 'cloud' }>;

/** Where and how a chosen target is asked. */
export interface CallPlan {
  readonly address: TargetAddress;
  readonly headers: readonly string[];
  /** What the target itself calls the model. */
  readonly servedModel: string;
}

/** @returns the plan, or why there can be none: the provider's key is not there */
export function planCall(
  parts: GatewayParts,
  chosen: Chosen,
  endpoint: EngineEndpoint,
  stream: boolean,
  trace: TraceContext,
): CallPlan | AttemptFailure {
  if (chosen.kind === 'send') {
    const { deployment } = chosen;
    const { servedModel } = deployment;
    const address = addressOf(deployment, endpoint, parts);
    if (address === null) {
      return attemptFailure('network_unreachable', `${deployment.name}: no way leads to it`);
    }
    return {
      address,
      headers: upstreamHeaders(stream, null, trace),
      servedModel,
    };
  }
  const { provider, model } = chosen;
  let apiKey: string | null = null;
  if (provider.apiKey !== null) {
    const key = parts.secrets.read(provider.apiKey);
    if (!key.ok)
      return attemptFailure('provider_key_missing', `${provider.name}: ${key.code}: ${key.detail}`);
    apiKey = key.value;
  }
  return {
    address: parts.addresses.resolve(provider.baseUrl, endpoint.path, 'provider'),
    headers: upstreamHeaders(stream, apiKey, trace),
    servedModel: model.model,
  };
}

/** @returns `null` where the agent has told of no address: an engine that is reached directly and not by its tunnel */
function addressOf(
  deployment: DeclaredDeployment,
  endpoint: EngineEndpoint,
  { addresses }: GatewayParts,
): TargetAddress | null {
  const { host, name } = deployment;
  if (reachOf(deployment) === 'tunnel') {
    return { kind: 'tunnel', host, deployment: name, path: `/v1${endpoint.path}` };
  }
  return deployment.engine === 'external' ? addresses.resolve(deployment.url, endpoint.path, 'engine') : null;
}

/** What `x-fabric-host` and `x-fabric-replica` say of a chosen target. */
export function nameOf(chosen: Chosen): { readonly host: string; readonly replica: string } {
  if (chosen.kind === 'send') return { host: chosen.deployment.host, replica: chosen.deployment.name };
  return { host: chosen.provider.name, replica: `${chosen.provider.name}/${chosen.model.name}` };
}
