import type { DeclaredSource, DeclaredState } from '../declared/declared-state.js';
import type { HostStore } from './host-store.js';
import type { ObservationWriter } from './observation.js';
import type { TokenStore } from './token-store.js';

/** Everything that outlives the process. One control plane at a time has a data directory; see `openRegistry`. */
export interface Registry {
  readonly declared: DeclaredStore;
  readonly hosts: HostStore;
  readonly tokens: TokenStore;
  readonly observations: ObservationWriter;
  /** Writes what is queued (bounded in time), closes the file and lets go of the data directory. */
  close(): Promise<void>;
}

export interface DeclaredStore extends DeclaredSource {
  /**
   * Puts `next` in the place of the whole declared state: one transaction or nothing, committed before it
   * returns, listeners called after. `next.revision` is ignored: the revision rises by one, or stays when
   * nothing differs.
   *
   * @returns the state as it now stands
   * @throws {RegistryError} revision_conflict, declared_invalid, registry_busy, registry_full, registry_read_only
   */
  replace(next: DeclaredState, expectedRevision: number): DeclaredState;
}
