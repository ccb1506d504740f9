import type { PowerVerb } from '@ai-fabric/shared';

/** What is done to this machine's power, behind one interface for every system. */
export interface PowerPort {
  /**
   * Asks the system to act. Resolves when it took the order, not when it is carried out: a machine that suspends may
   * answer before it does or after it is back.
   *
   * @throws PowerError
   */
  act(verb: PowerVerb): Promise<void>;
  /** Keeps the machine from going to sleep by itself until `release`. @throws PowerError */
  hold(): Promise<void>;
  release(): void;
  close(): void;
}

/** Why the system did not do it, with what mends it where that is known. */
export class PowerError extends Error {
  override readonly name = 'PowerError';
  readonly code: PowerErrorCode;

  constructor(code: PowerErrorCode, detail: string) {
    super(detail);
    this.code = code;
  }
}

export type PowerErrorCode =
  /** The agent's user may not. */
  | 'power_denied'
  /** Somebody else holds the machine awake. */
  | 'power_inhibited'
  | 'power_not_supported'
  | 'power_failed'
  /** It took the order, and nothing came of it. */
  | 'power_unchanged';
