import type { DeclaredHost } from '../declared-state.js';
import { hostEntrySchema } from '../host-entry-schema.js';

/** One of which nothing is said. */
const UNSAID = hostEntrySchema.parse({});

/** A host of which only this much is said. */
export function declareHost(name: string, said: Partial<Omit<DeclaredHost, 'name'>> = {}): DeclaredHost {
  return { name, ...UNSAID, ...said };
}
