/** A text that was found, as it was found: masked later, with all others. */
export interface FoundFile {
  /** Its path in the bundle. */
  readonly name: string;
  readonly text: string;
  readonly source: string;
  readonly args?: readonly string[];
  readonly answer?: number | null;
  /** Where it is too long its last lines count, as of a log; else its first. */
  readonly keeps?: 'first' | 'last';
  /** Whoever read it left some out already. */
  readonly isCut?: boolean;
}

export interface MissingFile {
  readonly name: string;
  readonly reason: string;
}

/** Values that are to be masked wherever they stand, and what they were called. */
export interface KnownSecret {
  readonly origin: string;
  readonly value: string;
}

/** Where the parts of a bundle put what they find. What comes after the end is left out: a part that hangs is not waited for. */
export class Findings {
  readonly files: FoundFile[] = [];
  readonly missing: MissingFile[] = [];
  readonly secrets: KnownSecret[] = [];
  #ended = false;

  file(found: FoundFile): void {
    if (!this.#ended) this.files.push(found);
  }

  lack(name: string, reason: unknown): void {
    if (!this.#ended)
      this.missing.push({ name, reason: reason instanceof Error ? reason.message : String(reason) });
  }

  secret(...found: readonly KnownSecret[]): void {
    if (!this.#ended) this.secrets.push(...found);
  }

  end(): void {
    this.#ended = true;
  }
}
