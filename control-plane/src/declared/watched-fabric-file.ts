import { statSync } from 'node:fs';
import { planApply, planIsEmpty } from './decide/plan-apply.js';
import type { DeclaredState } from './declared-state.js';
import type { FabricFileResult } from './parse-fabric-text.js';
import { readFabricFile } from './read-fabric-file.js';

/** The file that `up --config` named, as it is now: it seeded the registry, and is compared with it since. */
export class WatchedFabricFile {
  /** `null`: none was named. */
  readonly path: string | null;
  #judged = { of: '', differs: false };

  constructor(path: string | null) {
    this.path = path;
  }

  /** Never throws. @returns `null` where none was named */
  read(): FabricFileResult | null {
    return this.path === null ? null : readFabricFile(this.path);
  }

  /** Whether it says something else than what is declared, or nothing valid. Read again only when either changed. */
  differsFrom(state: DeclaredState): boolean {
    if (this.path === null) return false;
    const of = `${state.revision} ${stamp(this.path)}`;
    if (this.#judged.of !== of) this.#judged = { of, differs: differs(readFabricFile(this.path), state) };
    return this.#judged.differs;
  }
}

function differs(file: FabricFileResult, state: DeclaredState): boolean {
  if (!file.ok) return true;
  return !planIsEmpty(
    planApply(state, file, { prune: false, enrolledHosts: new Set(), policies: new Map() }).plan,
  );
}

function stamp(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 'none' : `${stat.mtimeMs} ${stat.size}`;
}
