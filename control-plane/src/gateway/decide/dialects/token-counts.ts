import { readAnyAnswerUsage, type Usage } from '../read-usage.js';
import { type Dialect, noAnswerId } from './dialect.js';
import { MESSAGES } from './messages.js';

/** Counting reads and writes nothing: whatever number the answer holds, no token of a key's is used. */
const NOTHING_USED: Usage = { promptTokens: 0, completionTokens: 0, cachedTokens: null };

/** Of Anthropic's `/messages/count_tokens`: one small answer, never a stream. */
export const TOKEN_COUNTS: Dialect = {
  ...MESSAGES,
  readAnswerUsage: (bytes) => (readAnyAnswerUsage(bytes) === 'broken' ? 'broken' : NOTHING_USED),
  readAnswerId: noAnswerId,
};
