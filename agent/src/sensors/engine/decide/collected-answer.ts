import { type HttpAnswerListener, HttpAnswerReader } from '@ai-fabric/shared';

/** One HTTP/1.1 answer to a GET or POST, kept whole. */
export class CollectedAnswer implements HttpAnswerListener {
  readonly reader: HttpAnswerReader;
  readonly #parts: Buffer[] = [];

  /** @param maxBytes of the body */
  constructor(maxBytes: number) {
    this.reader = new HttpAnswerReader(this, maxBytes);
  }

  body(): Buffer {
    const [only] = this.#parts;
    return this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts);
  }

  onHead(): void {}

  /** @param part is copied: it lies in what the next piece is read into */
  onBody(part: Buffer): void {
    this.#parts.push(Buffer.from(part));
  }
}
