import type { GatewayParts } from '../gateway-parts.js';
import { Http2Call } from './http2-call.js';
import type { TargetAddress } from './target-address.js';
import type { AnswerListener, CallRequest, CallTerms, UpstreamCall } from './upstream-call.js';

/** The call that gets to this address. It is not sent yet. */
export function openCall(
  listener: AnswerListener,
  address: TargetAddress,
  request: CallRequest,
  terms: CallTerms,
  { pools, tunnels }: Pick<GatewayParts, 'pools' | 'tunnels'>,
): UpstreamCall {
  switch (address.kind) {
    case 'origin':
      return pools.get(address.origin).call(listener, request, terms);
    case 'tunnel':
      return new Http2Call(listener, request, terms, address, tunnels);
    default:
      return address satisfies never;
  }
}
