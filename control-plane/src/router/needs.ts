import { CAPABILITIES, type Capability } from '../declared/declared-state.js';

/** What a request needs of a model, as bits: one number travels with each request. */
export type Needs = number;

export const NO_NEEDS: Needs = 0;

const BITS: Readonly<Record<Capability, Needs>> = { tools: 1, vision: 2, audio: 4, json_schema: 8 };

export function needsOf(capabilities: readonly Capability[]): Needs {
  let needs = NO_NEEDS;
  for (const each of capabilities) needs |= BITS[each];
  return needs;
}

export function listNeeds(needs: Needs): readonly Capability[] {
  return CAPABILITIES.filter((each) => (needs & BITS[each]) !== 0);
}
