/** How fast an engine is. `Infinity` means at once. */
export interface EngineSpeed {
  /** Prompt tokens per second that one request alone gets through. */
  readonly prefillTokensPerSecond: number;
  /** Tokens per second that one request alone is given. */
  readonly decodeTokensPerSecond: number;
  /** Each further running request makes every step longer by this share. */
  readonly slowdownPerRunning: number;
}

/** The share by which `running` requests (this one included) stretch each other's steps; 1 is alone. */
function stretch(speed: EngineSpeed, running: number): number {
  return 1 + speed.slowdownPerRunning * Math.max(0, running - 1);
}

/** Milliseconds from a slot to the first token. Cached prompt tokens cost nothing. */
export function prefillMs(speed: EngineSpeed, uncachedTokens: number, running: number): number {
  return (uncachedTokens / speed.prefillTokensPerSecond) * 1000 * stretch(speed, running);
}

/** Milliseconds from one token to the next. */
export function decodeStepMs(speed: EngineSpeed, running: number): number {
  return (1000 / speed.decodeTokensPerSecond) * stretch(speed, running);
}
