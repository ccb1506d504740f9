import { huggingFaceModelSchema } from '@ai-fabric/shared';
import { z } from 'zod';

const bytes = z.number().int().min(0);

/** A model in the cache of a host. */
export const cachedModelSchema = z.object({
  model: huggingFaceModelSchema,
  sizeBytes: bytes,
  revisions: z.array(z.string().max(128)).max(100),
  /** Nothing of it is half downloaded. */
  complete: z.boolean(),
  changedAtMs: z.number(),
});
export type CachedModel = z.infer<typeof cachedModelSchema>;

export type ModelLine =
  | { readonly kind: 'progress'; readonly doneBytes: number; readonly totalBytes: number | null }
  | { readonly kind: 'done'; readonly bytes: number }
  | { readonly kind: 'failed'; readonly code: string; readonly detail: string };

const lineSchema = z.union([
  z
    .object({ done: z.literal(true), sizeBytes: bytes.optional(), freedBytes: bytes.optional() })
    .transform((line): ModelLine => ({ kind: 'done', bytes: line.sizeBytes ?? line.freedBytes ?? 0 })),
  z
    .object({ failed: z.string().max(100), detail: z.string().max(500) })
    .transform(
      (line): ModelLine => ({ kind: 'failed', code: codeOf(line.failed, line.detail), detail: line.detail }),
    ),
  z
    .object({ doneBytes: bytes, totalBytes: bytes.nullable() })
    .transform((line): ModelLine => ({ kind: 'progress', ...line })),
]);

/** The models that a listing names. What is no line of ours, or names what could not be asked for, is passed over. */
export function readListing(lines: readonly string[]): CachedModel[] {
  return lines.flatMap((line) => {
    const model = cachedModelSchema.safeParse(parse(line));
    return model.success ? [model.data] : [];
  });
}

/** One line of what a script prints. @returns `null` for what is none: a library's chatter */
export function readModelLine(text: string): ModelLine | null {
  const line = lineSchema.safeParse(parse(text));
  return line.success ? line.data : null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** As issues call it, by the name of the exception of `huggingface_hub`. */
function codeOf(exception: string, detail: string): string {
  if (exception === 'GatedRepoError' || /\b(401|403)\b/.test(detail)) return 'hf_token_needed';
  if (exception === 'RepositoryNotFoundError' || exception === 'RevisionNotFoundError')
    return 'model_not_found';
  if (exception === 'OSError' && /No space left/.test(detail)) return 'disk_full';
  if (/Connection|Timeout|Offline|Resolution/.test(`${exception} ${detail}`)) return 'hub_unreachable';
  return 'prefetch_failed';
}
