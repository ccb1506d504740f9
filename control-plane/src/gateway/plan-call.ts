import type { VllmDeployment } from '../declared/declared-state.js';
import { findDirectEngine } from '../live/decide/find-direct-engine.js';
import type { ChosenDecision } from '../router/route-types.js';
import { type AttemptFailure, attemptFailure } from './decide/attempt-failure.js';
import type { EngineEndpoint } from './decide/match-endpoint.js';
import {
  engineHeaders,
  providerHeaders,
  type SpokenRequest,
  type TraceContext,
} from './decide/upstream-headers.js';
import type { GatewayParts } from './gateway-parts.js';
import type { TargetAddress } from './upstream/target-address.js';

/** Where and how a chosen target is asked. */
export interface CallPlan {
  readonly address: TargetAddress;
  readonly headers: readonly string[];
  /** What the target itself calls the model. */
  readonly servedModel: string;
}

/** @returns the plan, or why there can be none: the provider's key, or the way to an engine, is not there */
export function planCall(
  parts: GatewayParts,
  chosen: ChosenDecision,
  endpoint: EngineEndpoint,
  request: SpokenRequest,
  trace: TraceContext,
): CallPlan | AttemptFailure {
  if (chosen.kind === 'send') {
    const { deployment } = chosen;
    const { servedModel } = deployment;
    const headers = engineHeaders(request, trace);
    if (deployment.engine === 'external') {
      return {
        address: parts.addresses.resolve(deployment.url, endpoint.path, 'engine'),
        headers,
        servedModel,
      };
    }
    if (deployment.reach === 'tunnel') {
      const { host, name } = deployment;
      const path = `/v1${endpoint.path}`;
      return { address: { kind: 'tunnel', host, deployment: name, path }, headers, servedModel };
    }
    return planDirectCall(parts, deployment, endpoint, headers);
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
    headers: providerHeaders(request, apiKey, endpoint.isAnthropics ? 'x-api-key' : 'authorization'),
    servedModel: model.model,
  };
}

function planDirectCall(
  { live, addresses }: GatewayParts,
  deployment: VllmDeployment,
  endpoint: EngineEndpoint,
  headers: readonly string[],
): CallPlan | AttemptFailure {
  const { name, host, servedModel } = deployment;
  const peerAddress = live.host(host)?.peerAddress ?? null;
  const status = live.replica(name)?.status;
  const engine = findDirectEngine({ deployment, peerAddress, status });
  // The router has passed it by since; what changed meanwhile is seen here.
  if (!engine.known) return attemptFailure('network_unreachable', `${name}: ${engine.detail}`);
  return {
    address: addresses.resolve(engine.origin, endpoint.path, 'engine'),
    headers: engine.key === null ? headers : [...headers, 'authorization', `Bearer ${engine.key}`],
    servedModel,
  };
}

/** What `x-fabric-host` and `x-fabric-replica` say of a chosen target. */
export function nameOf(chosen: ChosenDecision): { readonly host: string; readonly replica: string } {
  if (chosen.kind === 'send') return { host: chosen.deployment.host, replica: chosen.deployment.name };
  return { host: chosen.provider.name, replica: `${chosen.provider.name}/${chosen.model.name}` };
}
