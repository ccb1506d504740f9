/**
 * What one engine's iteration takes: `iterationSeconds + perDecodingSeconds · decoding + perPromptTokenSeconds · prefilled`.
 * The form is that of Vidur (MLSys 2024) and Sarathi-Serve (OSDI 2024). Seconds.
 */
export interface Rates {
  readonly iterationSeconds: number;
  readonly perDecodingSeconds: number;
  readonly perPromptTokenSeconds: number;
}

/** What is under way at one replica now. Numbers only: one object is brought up to date in place. */
export interface ReplicaLoad {
  slots: number;
  /** Own requests that the engine is writing answers to. */
  decoding: number;
  /** Own requests whose prompt is not read yet. */
  prefilling: number;
  /** Prompt tokens of those, less what the engine has in its prefix cache. */
  backlogTokens: number;
  /** Since the engine is known to work on nothing but that backlog. */
  frontierAgeSeconds: number;
  /** Requests of others; not an integer, because it is an estimate that decays. */
  external: number;
  /** Tokens that our own requests hold in the key-value cache, half of their expected answers included. */
  kvOwnTokens: number;
  /** Tokens that others hold there. */
  kvOtherTokens: number;
  /** 0: not known. */
  kvCapacityTokens: number;
  /** From a fresh reading; -1: there is none. */
  kvUsageRatio: number;
  /** Expected length of an answer that is under way; 0 where none is. */
  meanAnswerTokens: number;
  /** Times as slow as its rates say, by what was seen of late; 1: as they say. */
  drift: number;
  /** What a first request after a start takes beyond the rates. */
  coldSeconds: number;
}

export interface RequestSize {
  readonly promptTokens: number;
  /** Part of the prompt that the engine is expected to have in its prefix cache. */
  readonly cachedTokens: number;
  /** Of all answers asked for together; 0 where none is written (embeddings). */
  readonly answerTokens: number;
}

/** How much a role's clients mind waiting for the first token, and for the rest of the answer. */
export interface Weights {
  readonly firstToken: number;
  readonly answer: number;
}

/** One object, filled in again and again. */
export interface Prediction {
  /** Prompt tokens that the engine must read for it. */
  uncachedTokens: number;
  /** Iterations until its prompt is read. */
  iterations: number;
  /** Until its first token, once the engine has taken it up. */
  startSeconds: number;
  /** Until the engine takes it up: a slot and room in the key-value cache. */
  queueSeconds: number;
  answerSeconds: number;
  /** The weighted sum, which candidates are compared by; `Infinity` where nothing can be said. */
  costSeconds: number;
}

export function emptyPrediction(): Prediction {
  return {
    uncachedTokens: 0,
    iterations: 0,
    startSeconds: 0,
    queueSeconds: 0,
    answerSeconds: 0,
    costSeconds: 0,
  };
}

export function emptyLoad(): ReplicaLoad {
  return {
    slots: 1,
    decoding: 0,
    prefilling: 0,
    backlogTokens: 0,
    frontierAgeSeconds: 0,
    external: 0,
    kvOwnTokens: 0,
    kvOtherTokens: 0,
    kvCapacityTokens: 0,
    kvUsageRatio: -1,
    meanAnswerTokens: 0,
    drift: 1,
    coldSeconds: 0,
  };
}
