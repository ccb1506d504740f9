import { readEvent, readFinished, readUsageBeside } from '../read-event.js';
import { readAnswerUsage, type Usage } from '../read-usage.js';
import { OPENAI_ERRORS } from '../render-error.js';
import { type Dialect, type EventVerdict, noAnswerId, type StreamReader } from './dialect.js';

/** Of `/chat/completions` and `/completions`; `/embeddings` has no streams. */
export const CHAT: Dialect = {
  lastEvent: '[DONE]',
  errors: OPENAI_ERRORS,
  mayBeText: false,
  createReader: (choices) => new ChatReader(choices),
  readAnswerUsage,
  readAnswerId: noAnswerId,
};

/** Some engines end without `[DONE]`: where every choice has told why it ended, nothing is missing. */
export class ChatReader implements StreamReader {
  readonly answerId = null;
  readonly #choices: number;
  #finished: Set<number> | null = null;
  #usage: Usage | null = null;
  /** Where the last event with choices stands, in case it carries the usage. Three fields: no slice per event. */
  #lastBytes: Buffer | null = null;
  #lastStart = 0;
  #lastEnd = 0;

  constructor(choices: number) {
    this.#choices = choices;
  }

  get isFinished(): boolean {
    return (this.#finished?.size ?? 0) >= this.#choices;
  }

  read(bytes: Buffer, start: number, end: number): EventVerdict {
    const event = readEvent(bytes, start, end);
    if (event.kind === 'usage') {
      this.#usage = event.usage;
      return 'usage';
    }
    if (event.kind === 'done') return 'done';
    this.#lastBytes = bytes;
    this.#lastStart = start;
    this.#lastEnd = end;
    for (const index of readFinished(bytes, start, end)) {
      this.#finished ??= new Set();
      this.#finished.add(index);
    }
    return event.kind;
  }

  usage(): Usage | null {
    if (this.#usage === null && this.#lastBytes !== null) {
      this.#usage = readUsageBeside(this.#lastBytes, this.#lastStart, this.#lastEnd);
    }
    return this.#usage;
  }
}
