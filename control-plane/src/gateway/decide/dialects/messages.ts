import { fieldStart, isField, memberOf, parseData } from '../read-event.js';
import { readAnyAnswerUsage, toAnyUsage, type Usage } from '../read-usage.js';
import { ANTHROPIC_ERRORS } from '../render-error.js';
import { type Dialect, type EventVerdict, noAnswerId, type StreamReader } from './dialect.js';

/** Of Anthropic's `/messages`: `message_start` tells the prompt's tokens, `message_delta` the answer's. */
export const MESSAGES: Dialect = {
  lastEvent: 'message_stop',
  errors: ANTHROPIC_ERRORS,
  mayBeText: false,
  createReader: () => new MessagesReader(),
  readAnswerUsage: readAnyAnswerUsage,
  readAnswerId: noAnswerId,
};

class MessagesReader implements StreamReader {
  readonly isFinished = false;
  readonly answerId = null;
  #usage: Usage | null = null;

  read(bytes: Buffer, start: number, end: number): EventVerdict {
    // Anthropic and vLLM name every event.
    const at = fieldStart(bytes, start, end, 'event:');
    if (at < 0) return 'data';
    if (isField(bytes, at, end, 'message_stop')) return 'done';
    if (isField(bytes, at, end, 'error')) return 'error';
    if (isField(bytes, at, end, 'message_start') || isField(bytes, at, end, 'message_delta')) {
      const value = parseData(bytes, start, end);
      const told = memberOf(memberOf(value, 'message') ?? value, 'usage');
      this.#usage = later(this.#usage, toAnyUsage(told));
    }
    return 'data';
  }

  usage(): Usage | null {
    return this.#usage;
  }
}

/** Counts only grow in a stream; what a later event leaves out, or tells as 0, was told before. */
function later(before: Usage | null, now: Usage | null): Usage | null {
  if (before === null || now === null) return now ?? before;
  return {
    promptTokens: most(before.promptTokens, now.promptTokens),
    completionTokens: most(before.completionTokens, now.completionTokens),
    cachedTokens: most(before.cachedTokens, now.cachedTokens),
  };
}

function most(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other);
}
