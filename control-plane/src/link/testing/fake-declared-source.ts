import type { DeclaredSource, DeclaredState } from '../../declared/declared-state.js';

/** A declared state that tests replace. */
export class FakeDeclaredSource implements DeclaredSource {
  #state: DeclaredState;
  readonly #listeners = new Set<(state: DeclaredState) => void>();

  constructor(state: DeclaredState) {
    this.#state = state;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  current(): DeclaredState {
    return this.#state;
  }

  onChange(listener: (state: DeclaredState) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  replace(state: DeclaredState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}
