import type { Candidate } from '../candidate.js';
import type { RouteRequest } from '../route-types.js';

export interface NeedSettings {
  /**
   * How many tokens a prompt may well have for one that was estimated, where nothing is known of its model: the rough count is
   * of text that takes few.
   */
  readonly doubtRatio: number;
  /** The same where its engine's own counts have told how many bytes a token has. */
  readonly knownDoubtRatio: number;
}

type Sized = Pick<RouteRequest, 'hints' | 'estimatedPromptTokens' | 'maxTokens'>;

/**
 * Tokens of a request's prompt as this target's model would count them: by what its engine told of earlier ones, else
 * the gateway's rough count. `null`: its bytes say nothing of its tokens.
 */
export function estimatePrompt(request: Sized, candidate: Candidate): number | null {
  const promptBytes = request.hints?.promptBytes ?? null;
  if (promptBytes === null || !isDensityKnown(candidate)) return request.estimatedPromptTokens;
  return Math.ceil(promptBytes / candidate.bytesPerToken);
}

/** Tokens of prompt and allowed answer that a request may well need there. */
export function needAt(request: Sized, candidate: Candidate, settings: NeedSettings): number {
  const ratio = isDensityKnown(candidate) ? settings.knownDoubtRatio : settings.doubtRatio;
  return Math.ceil((estimatePrompt(request, candidate) ?? 0) * ratio) + (request.maxTokens ?? 0);
}

/** What a target takes, prompt and answer together; `null`: not known. */
export function contextOf(candidate: Candidate): number | null {
  return candidate.kind === 'replica' ? candidate.contextTokens : candidate.model.contextTokens;
}

function isDensityKnown(candidate: Candidate): candidate is Extract<Candidate, { kind: 'replica' }> {
  return candidate.kind === 'replica' && candidate.isDensityKnown;
}
