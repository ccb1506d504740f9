/** A name that clients of the proxy use, and whether the control plane would answer it now. */
export interface CarriedName {
  readonly name: string;
  readonly state: 'ready' | 'unknown' | 'no_target';
}

export interface TakeoverView {
  readonly names: readonly CarriedName[];
  /** Names that the control plane does not know at all: their clients would get a 404. */
  readonly unknown: readonly string[];
}

/** States of a role in which it answers, or will once a host is woken. */
const ANSWERS: ReadonlySet<string> = new Set(['ready', 'busy', 'cloud', 'asleep', 'waking']);

/**
 * Compares what was imported with what the control plane knows.
 *
 * @param carried roles and aliases of the import; an alias with what it stands for
 * @param roles state of each role that is declared
 * @param listed all names at `/v1/models`
 */
export function judgeTakeover(
  carried: Readonly<Record<string, string>>,
  roles: Readonly<Record<string, string>>,
  listed: ReadonlySet<string>,
): TakeoverView {
  const names = Object.entries(carried).map(([name, role]): CarriedName => {
    if (!listed.has(name)) return { name, state: 'unknown' };
    const state = roles[role];
    return { name, state: state === undefined || ANSWERS.has(state) ? 'ready' : 'no_target' };
  });
  return { names, unknown: names.filter(({ state }) => state === 'unknown').map(({ name }) => name) };
}
