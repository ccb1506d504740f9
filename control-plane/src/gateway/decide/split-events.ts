const LF = 0x0a;
const CR = 0x0d;

/**
 * Finds where the events of a stream end, on bytes, over any cuts between chunks (inside a UTF-8 character, inside
 * CRLF). An event ends behind its blank line; lines end with LF or CRLF. A lone CR, which the standard allows and
 * no engine sends, is not a line's end here: it could only be told apart by waiting for the next chunk.
 */
export class EventSplitter {
  /** Bytes of the line that earlier chunks began; 2 stands for more. */
  #lineBytes = 0;
  #lineIsCr = false;

  /**
   * @param from where the search goes on: 0 for a new chunk, else what the last call returned
   * @returns the index behind the next event's end, or -1 where the chunk holds no further end; then the next call
   *   is for the next chunk
   */
  nextEnd(chunk: Uint8Array, from: number): number {
    let lineStart = from;
    for (;;) {
      const lineEnd = chunk.indexOf(LF, lineStart);
      if (lineEnd < 0) {
        this.#carry(chunk, lineStart);
        return -1;
      }
      const isBlank = this.#isBlank(chunk, lineStart, lineEnd);
      this.#lineBytes = 0;
      this.#lineIsCr = false;
      if (isBlank) return lineEnd + 1;
      lineStart = lineEnd + 1;
    }
  }

  #isBlank(chunk: Uint8Array, start: number, end: number): boolean {
    const own = end - start;
    if (this.#lineBytes === 0) return own === 0 || (own === 1 && chunk[start] === CR);
    return own === 0 && this.#lineIsCr;
  }

  #carry(chunk: Uint8Array, start: number): void {
    const own = chunk.length - start;
    if (own === 0) return;
    this.#lineIsCr = this.#lineBytes === 0 && own === 1 && chunk[start] === CR;
    this.#lineBytes = Math.min(2, this.#lineBytes + own);
  }
}
