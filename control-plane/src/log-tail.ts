const MAX_BYTES = 256 * 1024;
/** One line that is longer is not kept: it would take the others with it. */
const MAX_LINE_BYTES = 16 * 1024;

/**
 * The last lines of the log, kept in memory beside the place where they go: whoever is asked for help sees them in
 * doctor's bundle, wherever the service manager keeps the log. Bounded in UTF-16 units.
 */
export class LogTail {
  readonly #target: { write(line: string): unknown };
  #lines: string[] = [];
  /** Those before it are given up, and go when they are half of all. */
  #first = 0;
  #size = 0;

  /** @param target where each line goes on to, such as pino's `destination` */
  constructor(target: { write(line: string): unknown }) {
    this.#target = target;
  }

  /** As pino calls it: one line with its end. */
  write(line: string): void {
    this.#target.write(line);
    if (line.length > MAX_LINE_BYTES) return;
    this.#lines.push(line);
    this.#size += line.length;
    while (this.#size > MAX_BYTES) {
      this.#size -= this.#lines[this.#first]?.length ?? 0;
      this.#first += 1;
    }
    if (this.#first <= this.#lines.length / 2) return;
    this.#lines = this.#lines.slice(this.#first);
    this.#first = 0;
  }

  /** Oldest first, each as the object that it is. */
  entries(): unknown[] {
    return this.#lines.slice(this.#first).map(parseLine);
  }
}

/** As objects, so that whatever hides secrets sees names and values and not text within text. */
function parseLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return line.trimEnd();
  }
}
