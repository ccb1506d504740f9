/** Who is at the machine. `null`: it cannot be told. */
export interface SessionFacts {
  /** Somebody is signed in at it, and not idle for long. */
  readonly present: boolean | null;
  /** Somebody is signed in over the network, and not idle for long. */
  readonly remoteSession: boolean | null;
}

export const UNKNOWN_SESSIONS: SessionFacts = { present: null, remoteSession: null };
