/** What is thought of a request before its answer is known. */
export interface TokenFacts {
  /** `null` where the body's length says little of it. */
  readonly estimatedPromptTokens: number | null;
  /** As the client bounds the answer; `null`: it does not. */
  readonly maxTokens: number | null;
  readonly hasAnswerText: boolean;
}

/** A prompt with images, or of more than a megabyte. */
const UNKNOWN_PROMPT_TOKENS = 2_048;
/** An answer that nobody bounds is rarely longer; the real usage settles it. */
const UNBOUNDED_ANSWER_TOKENS = 1_024;
/** Clients ask for "as much as fits" and take little of it: a reservation of it all would stop everybody else. */
const MAX_ANSWER_TOKENS = 4_096;

/** @returns the tokens to reserve for a request */
export function estimateTokens({ estimatedPromptTokens, maxTokens, hasAnswerText }: TokenFacts): number {
  const prompt = estimatedPromptTokens ?? UNKNOWN_PROMPT_TOKENS;
  if (!hasAnswerText) return prompt;
  return prompt + Math.min(maxTokens ?? UNBOUNDED_ANSWER_TOKENS, MAX_ANSWER_TOKENS);
}
