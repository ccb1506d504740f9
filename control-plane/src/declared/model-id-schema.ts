import { z } from 'zod';

/** What an engine or a provider calls a model. */
export const modelIdSchema = z.string().min(1).max(200);
