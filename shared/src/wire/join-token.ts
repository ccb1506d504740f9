/**
 * A join token carries what a new host needs to trust the control plane before it says a word:
 * `aifj_<id>.<secret>.<certificate SHA-256>`.
 */
export interface JoinToken {
  /** Names the token in listings; not secret. */
  id: string;
  secret: string;
  certificateSha256: string;
}

const TOKEN = /^aifj_([a-z0-9]{8,32})\.([A-Za-z0-9_-]{32,64})\.([0-9a-f]{64})$/;

export function formatJoinToken(token: JoinToken): string {
  return `aifj_${token.id}.${token.secret}.${token.certificateSha256}`;
}

/** Surrounding white space is forgiven: tokens are pasted. `null` for anything that is not a join token. */
export function parseJoinToken(text: string): JoinToken | null {
  const match = TOKEN.exec(text.trim());
  if (!match) return null;
  const [, id = '', secret = '', certificateSha256 = ''] = match;
  return { id, secret, certificateSha256 };
}
