export interface KeyProofParts {
  nonce: string;
  /** The certificate that this TLS session was made with, as the agent saw it. */
  certificateSha256: string;
  publicKey: string;
  instanceId: string;
}

/**
 * The text that an agent signs to prove its key. It binds the control plane's nonce to the TLS session's
 * certificate, so that a relay with a certificate of its own cannot pass the proof on.
 */
export function keyProofText(parts: KeyProofParts): string {
  return proofText('ai-fabric link proof 1', parts);
}

/** The same for a tunnel, under a title of its own: a proof that was made for a link opens no tunnel. */
export function tunnelProofText(parts: KeyProofParts): string {
  return proofText('ai-fabric tunnel proof 1', parts);
}

function proofText(title: string, parts: KeyProofParts): string {
  return [title, parts.nonce, parts.certificateSha256, parts.publicKey, parts.instanceId].join('\n');
}
