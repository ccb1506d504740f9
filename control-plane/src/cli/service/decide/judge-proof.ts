/** What is seen of a service that was started. */
export interface ServiceSight {
  readonly active: boolean;
  readonly processId: number;
  /** How often systemd started it again since. */
  readonly restarts: number;
  /** Of the process that says where it answers; `null`: none says so. */
  readonly endpointProcessId: number | null;
  /** What `/readyz` answered; `null`: nothing. */
  readonly ready: { readonly status: number; readonly reasons: readonly string[] } | null;
  /** Addresses that it is to listen on and that this machine does not have. */
  readonly absentAddresses: readonly string[];
  /** Whether it is to listen on one that is there. */
  readonly hasAddress: boolean;
  readonly activeForMs: number;
}

export type ProofVerdict =
  | { readonly kind: 'wait'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'up'; readonly notes: readonly string[] };

/** Once would be an address that came late, or a port that was let go of late. */
const RESTARTS_ALLOWED = 2;
/** A program that has nothing to listen on and goes on for so long has got past all that can fail. */
const STEADY_MS = 5_000;

/** Whether a service that was started is up. */
export function judgeProof(sight: ServiceSight): ProofVerdict {
  const { active, processId, restarts, endpointProcessId, ready, absentAddresses } = sight;
  if (restarts > RESTARTS_ALLOWED) {
    return { kind: 'failed', why: `it ended ${restarts} times soon after its start` };
  }
  if (!active || processId === 0) return { kind: 'wait', why: 'it does not run' };
  const waitsFor =
    absentAddresses.length === 0
      ? []
      : [`it waits for ${absentAddresses.join(', ')}: not on this machine now; it listens there once it is`];
  if (!sight.hasAddress) {
    const isSteady = restarts === 0 && sight.activeForMs >= STEADY_MS;
    return isSteady ? { kind: 'up', notes: waitsFor } : { kind: 'wait', why: 'it has only just started' };
  }
  if (endpointProcessId !== processId) return { kind: 'wait', why: 'it has not said yet where it answers' };
  if (ready === null) return { kind: 'wait', why: 'it does not answer' };
  if (ready.status === 200) return { kind: 'up', notes: waitsFor };
  return { kind: 'wait', why: `it is not ready: ${ready.reasons.join('; ') || `status ${ready.status}`}` };
}
