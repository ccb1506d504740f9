import type { TunnelHello, TunnelRefusal } from '@ai-fabric/shared';

export interface TunnelHelloFacts {
  readonly hello: TunnelHello;
  readonly proofHolds: boolean;
  /** The host that has this key. */
  readonly enrolled: { readonly hostName: string; readonly machineSha256: string } | undefined;
  /** Whose key this was, until it was refused. */
  readonly refusedKeyOf: string | undefined;
  /** The agent process that has the host's link; `null`: none has. */
  readonly linkedInstanceId: string | null;
}

export type TunnelHelloVerdict =
  | { readonly ok: true; readonly hostName: string }
  | { readonly ok: false; readonly reason: TunnelRefusal; readonly detail: string };

/**
 * Whose tunnel a hello opens. Nobody joins by it, and it settles no quarrel about a host: it goes with the link, and
 * the agent process that has the link is the only one whose tunnel is taken.
 */
export function judgeTunnelHello(facts: TunnelHelloFacts): TunnelHelloVerdict {
  const { hello, proofHolds, enrolled, refusedKeyOf, linkedInstanceId } = facts;
  if (!proofHolds) {
    return refuse('proof_failed', 'The proof is not of this key, this challenge and this certificate.');
  }
  if (refusedKeyOf !== undefined) return refuse('revoked', `This key of host ${refusedKeyOf} is refused.`);
  if (!enrolled) return refuse('unknown_host', 'No host with this key has joined.');
  if (enrolled.machineSha256 !== hello.machineSha256) {
    return refuse('machine_mismatch', `This key belongs to host ${enrolled.hostName} on another machine.`);
  }
  if (linkedInstanceId !== hello.instanceId) {
    return refuse('not_linked', `Host ${enrolled.hostName} has no link of this agent. The link comes first.`);
  }
  return { ok: true, hostName: enrolled.hostName };
}

function refuse(reason: TunnelRefusal, detail: string): TunnelHelloVerdict {
  return { ok: false, reason, detail };
}
