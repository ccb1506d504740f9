/**
 * The life of a request in the gateway.
 * `reading`: its body arrives; `asking`: a target is chosen and asked, nothing was sent to the client yet, so it may
 * be asked again elsewhere; `answering`: the answer's head is sent, there is no way back; `done`.
 */
export type RequestPhase = 'reading' | 'asking' | 'answering' | 'done';

export type RequestEvent =
  | 'body_read'
  /** Answered by the gateway itself: an error, or a list. */
  | 'answered'
  | 'attempt_failed'
  /** The head of an upstream's answer goes out. */
  | 'committed'
  | 'finished'
  | 'interrupted'
  | 'client_gone';

const STEPS: Record<RequestPhase, { readonly [Event in RequestEvent]?: RequestPhase }> = {
  reading: { body_read: 'asking', answered: 'done', client_gone: 'done' },
  asking: { attempt_failed: 'asking', committed: 'answering', answered: 'done', client_gone: 'done' },
  answering: { finished: 'done', interrupted: 'done', client_gone: 'done' },
  done: {},
};

/** @returns the next phase, or `null` where the event has no place in this phase: it is then to be ignored */
export function stepRequest(phase: RequestPhase, event: RequestEvent): RequestPhase | null {
  return STEPS[phase][event] ?? null;
}
