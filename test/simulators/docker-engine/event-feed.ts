export interface SimulatedEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly time: number;
  readonly timeNano: number;
}

/** Docker keeps no more. */
const KEPT = 256;

/** What happened lately, and whoever wants to hear of what happens next. */
export class EventFeed {
  readonly #kept: SimulatedEvent[] = [];
  readonly #listeners = new Set<(event: SimulatedEvent) => void>();
  #lastNano = 0;

  get listeners(): number {
    return this.#listeners.size;
  }

  push(type: string, action: string, id: string, attributes: Readonly<Record<string, string>>): void {
    const atMs = Date.now();
    this.#lastNano = Math.max(atMs * 1_000_000, this.#lastNano + 1_000);
    const event = {
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      time: Math.floor(atMs / 1000),
      timeNano: this.#lastNano,
    };
    this.#kept.push(event);
    if (this.#kept.length > KEPT) this.#kept.shift();
    for (const listener of this.#listeners) listener(event);
  }

  /** What is kept of the time since, then what happens. @returns how to stop it */
  listen(sinceSeconds: number | null, listener: (event: SimulatedEvent) => void): () => void {
    if (sinceSeconds !== null) {
      for (const event of this.#kept) if (event.time >= sinceSeconds) listener(event);
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
