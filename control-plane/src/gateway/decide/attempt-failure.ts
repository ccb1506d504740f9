/** Why an attempt at a target came to nothing before a byte of its answer was forwarded. */
export type AttemptFailureCode =
  | 'connect_refused'
  | 'connect_timeout'
  | 'name_not_found'
  | 'network_unreachable'
  | 'tls_failed'
  | 'reset'
  /** The tunnel to its host was not there, or ended before an answer. */
  | 'tunnel_down'
  /** The tunnel, or the agent at its end, has as much to do as it may. */
  | 'tunnel_busy'
  /** The agent at the tunnel's end would not or could not pass the request on. */
  | 'tunnel_refused'
  | 'truncated'
  | 'protocol_error'
  | 'first_byte_timeout'
  | 'idle_timeout'
  | 'total_timeout'
  | 'redirected'
  | 'not_json'
  | 'answer_too_large'
  | 'unauthorized'
  | 'model_unknown_there'
  /** It serves the model, but not under this path. */
  | 'endpoint_unknown_there'
  | 'status_500'
  | 'status_502'
  | 'status_503'
  | 'status_504'
  | 'status_429'
  /** Anthropic's "overloaded". */
  | 'status_529'
  /** A provider wants to be paid first (402). */
  | 'unpaid'
  | 'status_other'
  | 'provider_key_missing';

export interface AttemptFailure {
  readonly code: AttemptFailureCode;
  /** For the operator's log: may hold an engine's own words. Never for the client. */
  readonly detail: string;
  /** What a 429 or 503 said of when to come again. */
  readonly retryAfterSeconds: number | null;
}

export function attemptFailure(
  code: AttemptFailureCode,
  detail: string,
  retryAfterSeconds: number | null = null,
): AttemptFailure {
  return { code, detail, retryAfterSeconds };
}

const BUSY: ReadonlySet<AttemptFailureCode> = new Set([
  'status_503',
  'status_429',
  'status_529',
  'tunnel_busy',
]);

/** Whether the target is merely full: no failure of it. */
export function isBusy(failure: AttemptFailure): boolean {
  return BUSY.has(failure.code);
}
