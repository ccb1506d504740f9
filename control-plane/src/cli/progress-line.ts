/** One line that is written over on a terminal. Elsewhere, as in a log, a line for each new phase. */
export class ProgressLine {
  readonly #out: NodeJS.WriteStream;
  #shown = '';
  #phase: string | null = null;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  show(text: string, phase: string): void {
    if (this.#out.isTTY !== true) {
      if (phase !== this.#phase) this.#out.write(`${text}\n`);
      this.#phase = phase;
      return;
    }
    if (text === this.#shown) return;
    const width = Math.max(20, (this.#out.columns ?? 80) - 1);
    this.#out.write(`\r${text.slice(0, width)}\u001b[K`);
    this.#shown = text;
  }

  /** Leaves an empty line to who writes next. */
  end(): void {
    if (this.#shown !== '') this.#out.write('\r\u001b[K');
    this.#shown = '';
  }
}
