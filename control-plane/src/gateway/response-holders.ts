/** Longer ids are not remembered. */
const MAX_ID_CHARS = 128;

/** Which target answered which response, of the latest: whoever goes on from one has to ask there. */
export class ResponseHolders {
  readonly #most: number;
  /** By id, the one that was used longest ago first. */
  readonly #targets = new Map<string, string>();

  constructor(most: number) {
    this.#most = most;
  }

  note(id: string, target: string): void {
    if (id.length > MAX_ID_CHARS) return;
    this.#targets.delete(id);
    this.#targets.set(id, target);
    if (this.#targets.size <= this.#most) return;
    for (const oldest of this.#targets.keys()) {
      this.#targets.delete(oldest);
      break;
    }
  }

  /** @returns `null` where it is not known, or not any more */
  find(id: string): string | null {
    const target = this.#targets.get(id);
    if (target === undefined) return null;
    this.note(id, target);
    return target;
  }
}
