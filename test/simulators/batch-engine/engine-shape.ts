/** An engine on a card, as the laboratory models it. */
export interface EngineShape {
  /** What an iteration takes whatever it holds: the weights are read once. Milliseconds. */
  readonly iterationMs: number;
  /** Each request that is given a token makes the iteration longer by this. */
  readonly decodingMs: number;
  /** Each prompt token that is computed makes the iteration longer by this. */
  readonly promptTokenMs: number;
  /** Room of the KV cache. */
  readonly kvTokens: number;
  /** Requests that run at once; further ones wait. */
  readonly slots: number;
  /** Tokens of an iteration, those of answers and of prompts together. */
  readonly tokensPerIteration: number;
  /** Requests that may wait; a further one is refused. `null`: any number. */
  readonly mostWaiting: number | null;
}
