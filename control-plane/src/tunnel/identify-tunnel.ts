import { type TunnelHello, tunnelProofText } from '@ai-fabric/shared';
import { verifyKeyProof } from '../link/verify-key-proof.js';
import { RegistryError } from '../registry/registry-error.js';
import { judgeTunnelHello, type TunnelHelloVerdict } from './decide/judge-tunnel-hello.js';
import type { TunnelServerParts } from './tunnel-server.js';

/** Who says hello: checks the proof and looks the key up. Never throws. */
export function identifyTunnel(
  hello: TunnelHello,
  nonce: string,
  parts: Pick<TunnelServerParts, 'hosts' | 'linkedInstanceId' | 'certificateSha256' | 'log'>,
): TunnelHelloVerdict {
  const { hosts, linkedInstanceId, certificateSha256, log } = parts;
  try {
    const proof = verifyKeyProof(hello, nonce, certificateSha256, tunnelProofText);
    const stored = proof ? hosts.findByPublicKey(proof.publicKey) : undefined;
    const refused = proof ? hosts.findRefusedKey(proof.publicKey) : undefined;
    return judgeTunnelHello({
      hello,
      proofHolds: proof !== null,
      enrolled: stored && { hostName: stored.name, machineSha256: stored.machineSha256 },
      refusedKeyOf: refused?.hostName,
      linkedInstanceId: stored ? linkedInstanceId(stored.name) : null,
    });
  } catch (error) {
    const code = error instanceof RegistryError ? error.code : 'internal';
    log.error({ err: error }, 'the registry could not say whose tunnel this is');
    const detail = `The control plane cannot check who this is (${code}): see its log.`;
    return { ok: false, reason: 'unavailable', detail };
  }
}
