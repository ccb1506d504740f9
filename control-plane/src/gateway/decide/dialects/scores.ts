import { readAnyAnswerUsage } from '../read-usage.js';
import { CHAT } from './chat.js';
import type { Dialect } from './dialect.js';

/** Of `/rerank` and `/score`, which have no streams, and of whose usage some engines tell but the total. */
export const SCORES: Dialect = { ...CHAT, readAnswerUsage: readAnyAnswerUsage };
