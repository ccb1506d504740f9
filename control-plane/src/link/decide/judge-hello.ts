import {
  type GoodbyeReason,
  type JoinToken,
  OLDEST_PROTOCOL_VERSION,
  parseJoinToken,
} from '@ai-fabric/shared';
import type { Hello, Identity } from './link-lifecycle.js';

/** A host that the registry knows by the key of the hello. */
interface EnrolledHost extends Identity {
  readonly machineSha256: string;
}

export type HelloVerdict =
  | { readonly kind: 'known'; readonly identity: Identity }
  /** The registry must take the token and the host. */
  | { readonly kind: 'enrol'; readonly token: JoinToken }
  | { readonly kind: 'refuse'; readonly reason: GoodbyeReason; readonly detail: string };

export interface HelloFacts {
  readonly hello: Hello;
  readonly proofHolds: boolean;
  /** Of the control plane. */
  readonly certificateSha256: string;
  readonly enrolled: EnrolledHost | undefined;
  /** Whose key this was, until it was refused. */
  readonly refusedKey?: { readonly hostName: string; readonly reason: 'revoked' | 'replaced' } | undefined;
}

/**
 * Who a hello is. A known key needs no token: an agent whose welcome got lost comes again with the token that it
 * has used, and must not be refused for it.
 */
export function judgeHello(facts: HelloFacts): HelloVerdict {
  const { hello, proofHolds, certificateSha256, enrolled, refusedKey } = facts;
  if (hello.protocolVersion < OLDEST_PROTOCOL_VERSION) {
    const detail = `This control plane speaks protocol ${OLDEST_PROTOCOL_VERSION} and later, the agent ${hello.protocolVersion}: upgrade the agent.`;
    return refuse('protocol_too_old', detail);
  }
  if (!proofHolds) {
    return refuse('proof_failed', 'The proof is not of this key, this challenge and this certificate.');
  }
  if (refusedKey) {
    const what = refusedKey.reason === 'revoked' ? 'was revoked' : 'was replaced by a newer one';
    const detail = `This key of host ${refusedKey.hostName} ${what}. To come back: make a token with "ai-fabric hosts re-enrol ${refusedKey.hostName}", remove the agent's state directory, and join with it.`;
    return refuse('revoked', detail);
  }
  if (enrolled && enrolled.machineSha256 === hello.machineSha256) {
    const { hostId, hostName, draining } = enrolled;
    return { kind: 'known', identity: { hostId, hostName, draining } };
  }
  if (hello.joinToken !== undefined) return judgeToken(hello.joinToken, certificateSha256);
  if (enrolled) {
    const detail = `This key belongs to host ${enrolled.hostName} on another machine. On a copied or rebuilt machine, join again with a new token. If this is that host on other hardware: "ai-fabric hosts re-enrol ${enrolled.hostName}" makes one.`;
    return refuse('machine_mismatch', detail);
  }
  const detail = 'No host with this key has joined. Make a token with "ai-fabric token create" and join.';
  return refuse('unknown_host', detail);
}

function judgeToken(text: string, certificateSha256: string): HelloVerdict {
  const token = parseJoinToken(text);
  if (!token)
    return refuse('token_unknown', 'This is no join token: it begins with "aifj_" and has three parts.');
  if (token.certificateSha256 !== certificateSha256) {
    const detail = `Join token ${token.id} was made by another control plane: its certificate is not this one's.`;
    return refuse('token_unknown', detail);
  }
  return { kind: 'enrol', token };
}

function refuse(reason: GoodbyeReason, detail: string): HelloVerdict {
  return { kind: 'refuse', reason, detail };
}
