import { z } from 'zod';
import { CAPABILITIES } from './declared-state.js';

/** What a model can do, or what a request needs; each once. */
export const capabilitiesSchema = z
  .array(z.enum(CAPABILITIES))
  .max(CAPABILITIES.length)
  .refine((all) => new Set(all).size === all.length, { error: 'each capability once' });
