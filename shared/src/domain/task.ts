import { z } from 'zod';

/** What a model is for. */
export const taskSchema = z.enum(['chat', 'embeddings', 'transcription', 'rerank']);
export type Task = z.infer<typeof taskSchema>;
