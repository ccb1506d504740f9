import { createHash } from 'node:crypto';

/** A token as a client presents it. Its digest is made when it is first asked for, and kept. */
export class PresentedBearer {
  readonly text: string;
  #sha256: string | null = null;

  constructor(text: string) {
    this.text = text;
  }

  /** In hexadecimal. */
  get sha256(): string {
    this.#sha256 ??= createHash('sha256').update(this.text, 'utf8').digest('hex');
    return this.#sha256;
  }
}
