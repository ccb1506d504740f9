import { memberOf, parseData } from '../read-event.js';
import { readAnyAnswerUsage, toAnyUsage, type Usage } from '../read-usage.js';
import { OPENAI_ERRORS } from '../render-error.js';
import { ChatReader } from './chat.js';
import { type Dialect, type EventVerdict, noAnswerId, type StreamReader } from './dialect.js';

/**
 * Of `/audio/transcriptions` and `/audio/translations`. vLLM streams them as it streams chats, OpenAI ends with an
 * event of a type of its own.
 */
export const AUDIO: Dialect = {
  lastEvent: '[DONE]',
  errors: OPENAI_ERRORS,
  mayBeText: true,
  createReader: (choices) => new AudioReader(choices),
  readAnswerUsage: readAnyAnswerUsage,
  readAnswerId: noAnswerId,
};

const LAST_TYPE = 'transcript.text.done';

class AudioReader implements StreamReader {
  readonly answerId = null;
  readonly #chat: ChatReader;
  #usage: Usage | null = null;

  constructor(choices: number) {
    this.#chat = new ChatReader(choices);
  }

  get isFinished(): boolean {
    return this.#chat.isFinished;
  }

  read(bytes: Buffer, start: number, end: number): EventVerdict {
    if (bytes.subarray(start, end).includes(LAST_TYPE)) {
      const value = parseData(bytes, start, end);
      if (memberOf(value, 'type') === LAST_TYPE) {
        this.#usage = toAnyUsage(memberOf(value, 'usage'));
        return 'done';
      }
    }
    return this.#chat.read(bytes, start, end);
  }

  usage(): Usage | null {
    return this.#usage ?? this.#chat.usage();
  }
}
