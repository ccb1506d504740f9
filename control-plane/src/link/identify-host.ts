import type { GoodbyeReason } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { RegistryError } from '../registry/registry-error.js';
import type { HostStore } from '../registry/registry-types.js';
import { judgeHello } from './decide/judge-hello.js';
import type { Hello, Identity } from './decide/link-lifecycle.js';
import { verifyKeyProof } from './verify-key-proof.js';

export type Identified =
  /** `keyReplaced`: who is linked as this host has a key that is not the host's any more. */
  | {
      readonly ok: true;
      readonly identity: Identity;
      readonly enrolled: boolean;
      readonly keyReplaced: boolean;
      /** It joins only when the host's present link turns out to be dead: identify it again then. */
      readonly asksFirst: boolean;
    }
  /** `copyOf`: the host whose key came from another machine than its own. */
  | {
      readonly ok: false;
      readonly reason: GoodbyeReason;
      readonly detail: string;
      readonly copyOf: string | null;
    };

export interface IdentifyParts {
  readonly hosts: Pick<HostStore, 'enrol' | 'findByPublicKey' | 'findRefusedKey'>;
  /** Of the control plane's own certificate. */
  readonly certificateSha256: string;
  readonly log: Logger;
}

/**
 * Who says hello: checks the proof, looks the key up, and enrols with a join token. Never throws.
 *
 * @param nameIsLinked somebody has a link under its name, and was not asked yet whether it lives
 */
export function identifyHost(
  hello: Hello,
  nonce: string,
  nowMs: number,
  nameIsLinked: boolean,
  parts: IdentifyParts,
): Identified {
  try {
    return identify(hello, nonce, nowMs, nameIsLinked, parts);
  } catch (error) {
    const code = error instanceof RegistryError ? error.code : 'internal';
    parts.log.error({ err: error, host: hello.hostName }, 'the registry could not say who links');
    const detail = `The control plane cannot check who this is (${code}): see its log. The agent tries again.`;
    return { ok: false, reason: 'unavailable', detail, copyOf: null };
  }
}

function identify(
  hello: Hello,
  nonce: string,
  nowMs: number,
  nameIsLinked: boolean,
  parts: IdentifyParts,
): Identified {
  const { hosts, certificateSha256 } = parts;
  const proof = verifyKeyProof(hello, nonce, certificateSha256);
  const stored = proof ? hosts.findByPublicKey(proof.publicKey) : undefined;
  const enrolled = stored && {
    hostId: stored.hostId,
    hostName: stored.name,
    draining: stored.draining,
    machineSha256: stored.machineSha256,
  };
  const refusedKey = proof ? hosts.findRefusedKey(proof.publicKey) : undefined;
  const verdict = judgeHello({
    ...{ hello, proofHolds: proof !== null, certificateSha256, enrolled, refusedKey },
  });
  if (verdict.kind === 'refuse') {
    const { reason, detail } = verdict;
    const copyOf = reason === 'machine_mismatch' ? (enrolled?.hostName ?? null) : null;
    return { ok: false, reason, detail, copyOf };
  }
  if (verdict.kind === 'known') {
    return { ok: true, identity: verdict.identity, enrolled: false, keyReplaced: false, asksFirst: false };
  }
  const result = hosts.enrol({
    tokenId: verdict.token.id,
    tokenSecret: verdict.token.secret,
    hostName: hello.hostName,
    publicKey: proof?.publicKey ?? hello.publicKey,
    machineSha256: hello.machineSha256,
    nowMs,
    nameIsLinked,
  });
  if (!result.ok) {
    const copyOf = result.reason === 'machine_mismatch' ? (enrolled?.hostName ?? null) : null;
    return { ...result, copyOf };
  }
  const { hostId, name, draining } = result.host;
  const identity = { hostId, hostName: name, draining };
  if (result.ok === 'ask_first') {
    return { ok: true, identity, enrolled: false, keyReplaced: false, asksFirst: true };
  }
  return { ok: true, identity, enrolled: true, keyReplaced: result.keyReplaced, asksFirst: false };
}
