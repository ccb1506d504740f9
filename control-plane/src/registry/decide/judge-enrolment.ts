import type { EnrolRefusal } from '../registry-types.js';

export interface TokenFacts {
  readonly secretMatches: boolean;
  readonly hostName: string | null;
  readonly expiresAtMs: number;
  readonly usedAtMs: number | null;
  readonly usedByHostId: string | null;
  readonly revokedAtMs: number | null;
  /** The host whose key it replaces, whatever machine brings the new one. */
  readonly replacesHostId: string | null;
}

export interface HostFacts {
  readonly hostId: string;
  readonly name: string;
  readonly publicKey: string;
  readonly machineSha256: string;
  readonly revoked: boolean;
}

export interface Applicant {
  readonly hostName: string;
  readonly publicKey: string;
  readonly machineSha256: string;
  /** Its key was revoked or replaced. */
  readonly keyRefused: boolean;
  /** Somebody has a link under its name, and was not asked yet whether it lives. */
  readonly nameIsLinked: boolean;
  readonly nowMs: number;
}

export type EnrolVerdict =
  /** A host that was not here before. */
  | { readonly kind: 'add' }
  /** One that was: it takes the applicant's name and key, and keeps its identity and its history. */
  | { readonly kind: 'renew'; readonly hostId: string }
  /** The same again, because the first answer was lost: nothing is left to do. */
  | { readonly kind: 'repeat'; readonly hostId: string }
  /** It would take the place of a host that has a link: to be judged again when that one turns out to be dead. */
  | { readonly kind: 'ask_first'; readonly hostId: string }
  | { readonly kind: 'refuse'; readonly reason: EnrolRefusal; readonly detail: string };

const MAKE_ANOTHER = 'make another with "ai-fabric token create"';

/** Whether a host may join with a token, and as which. */
export function judgeEnrolment(
  applicant: Applicant,
  token: TokenFacts | null,
  byName: HostFacts | null,
  byKey: HostFacts | null,
): EnrolVerdict {
  const refusal = judgeToken(applicant, token, byKey);
  if (refusal) return refusal;
  if (applicant.keyRefused) {
    const detail = `the key was revoked or replaced; remove the agent's state directory on this machine and join again: a new key is made then`;
    return refuse('revoked', detail);
  }
  if (byName && token?.replacesHostId === byName.hostId && (byKey ?? byName).hostId === byName.hostId) {
    return { kind: 'renew', hostId: byName.hostId };
  }
  return byKey ? judgeKnownKey(applicant, byKey, byName) : judgeNewKey(applicant, byName);
}

function judgeToken(
  applicant: Applicant,
  token: TokenFacts | null,
  byKey: HostFacts | null,
): EnrolVerdict | null {
  if (!token?.secretMatches) {
    return refuse(
      'token_unknown',
      `the token is not known here: mistyped, or of another control plane; ${MAKE_ANOTHER}`,
    );
  }
  if (token.usedAtMs !== null) {
    const isRepeat =
      byKey !== null &&
      byKey.hostId === token.usedByHostId &&
      sameMachine(byKey, applicant) &&
      byKey.name === applicant.hostName;
    if (isRepeat) return { kind: 'repeat', hostId: byKey.hostId };
    return refuse('token_used', `the token was used already: each is good for one host; ${MAKE_ANOTHER}`);
  }
  if (token.revokedAtMs !== null) return refuse('token_unknown', `the token was revoked; ${MAKE_ANOTHER}`);
  if (applicant.nowMs >= token.expiresAtMs)
    return refuse('token_expired', `the token has expired; ${MAKE_ANOTHER}`);
  if (token.hostName !== null && token.hostName !== applicant.hostName) {
    const detail = `the token is for host "${token.hostName}" and this one calls itself "${applicant.hostName}"; join with --name ${token.hostName}, or ${MAKE_ANOTHER}`;
    return refuse('token_unknown', detail);
  }
  return null;
}

function judgeKnownKey(applicant: Applicant, byKey: HostFacts, byName: HostFacts | null): EnrolVerdict {
  if (!sameMachine(byKey, applicant)) {
    const detail = `the key is that of host "${byKey.name}" on another machine, as after copying a disk; remove the agent's state directory on this machine and join again`;
    return refuse('machine_mismatch', detail);
  }
  if (byName && byName.hostId !== byKey.hostId) return nameTaken(applicant);
  return { kind: 'renew', hostId: byKey.hostId };
}

/** A new key on a machine that was here before is an agent that was installed again. */
function judgeNewKey(applicant: Applicant, byName: HostFacts | null): EnrolVerdict {
  if (!byName) return { kind: 'add' };
  if (byName.revoked) {
    const detail = `host "${byName.name}" was revoked; its operator lets it back with "ai-fabric hosts re-enrol ${byName.name}"`;
    return refuse('name_taken', detail);
  }
  if (!sameMachine(byName, applicant)) return nameTaken(applicant);
  return { kind: applicant.nameIsLinked ? 'ask_first' : 'renew', hostId: byName.hostId };
}

function sameMachine(host: HostFacts, applicant: Applicant): boolean {
  return host.machineSha256 === applicant.machineSha256;
}

function nameTaken({ hostName }: Applicant): EnrolVerdict {
  return refuse(
    'name_taken',
    `another machine has the name "${hostName}"; join with --name and one of its own`,
  );
}

function refuse(reason: EnrolRefusal, detail: string): EnrolVerdict {
  return { kind: 'refuse', reason, detail };
}
