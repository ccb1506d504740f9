type Closer = () => Promise<void> | void;

/** What was opened, to be closed once and in reverse order. A part that fails to close keeps no other open. */
export class Closers {
  readonly #closers: Closer[] = [];
  #closing: Promise<void> | null = null;

  add(closer: Closer): void {
    this.#closers.push(closer);
  }

  /** Later calls wait for the same end. @throws AggregateError of what failed, after all were tried */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const closer of this.#closers.reverse()) {
      try {
        await closer();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'the control plane did not close cleanly');
  }
}
