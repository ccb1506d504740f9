import { CAPABILITIES, type Capability } from '../declared-state.js';

/** However they were listed: the order means nothing. */
export function inOrder(said: readonly Capability[] | null): readonly Capability[] | null {
  return said === null ? null : CAPABILITIES.filter((each) => said.includes(each));
}

/** As a list of one's own. */
export function copied(capabilities: readonly Capability[] | null): Capability[] | null {
  return capabilities === null ? null : [...capabilities];
}
