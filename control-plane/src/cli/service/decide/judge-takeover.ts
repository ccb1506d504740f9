/** A name that clients of the proxy use, and whether the control plane would answer it now. */
export interface CarriedName {
  readonly name: string;
  /** `no_key`: only a provider answers it, and that takes no key of ours. */
  readonly state: 'ready' | 'unknown' | 'no_target' | 'no_key';
}

export interface TakeoverView {
  readonly names: readonly CarriedName[];
  /** Names that the control plane does not know at all: their clients would get a 404. */
  readonly unknown: readonly string[];
}

/** States of a name in which it is answered, or will be once a host is woken. */
const ANSWERS: ReadonlySet<string> = new Set(['ready', 'busy', 'cloud', 'asleep', 'waking']);

/**
 * Compares what was imported with what the control plane knows.
 *
 * @param names that clients use
 * @param listed state of each name at `/v1/models`
 * @param cloudNames those that a provider alone answers
 */
export function judgeTakeover(
  names: readonly string[],
  listed: ReadonlyMap<string, string>,
  cloudNames: ReadonlySet<string>,
): TakeoverView {
  const judged = names.map((name): CarriedName => {
    const state = listed.get(name);
    if (state === undefined) return { name, state: 'unknown' };
    if (ANSWERS.has(state)) return { name, state: 'ready' };
    return { name, state: cloudNames.has(name) ? 'no_key' : 'no_target' };
  });
  return {
    names: judged,
    unknown: judged.filter(({ state }) => state === 'unknown').map(({ name }) => name),
  };
}
