import { z } from 'zod';
import type { ImageInfo, VolumeInfo } from '../container-engine.js';

const imageSchema = z.object({
  Id: z.string().min(1),
  RepoDigests: z.array(z.string()).nullish().catch(null),
  Size: z.number().nonnegative().catch(0),
});

const volumeSchema = z.object({
  Name: z.string().min(1),
  Labels: z.record(z.string(), z.string()).nullish().catch(null),
});

/** The answer of `GET /images/{name}/json`. @returns `null` for what is none */
export function readImage(answer: unknown): ImageInfo | null {
  const read = imageSchema.safeParse(answer);
  if (!read.success) return null;
  return { id: read.data.Id, digests: read.data.RepoDigests ?? [], sizeBytes: read.data.Size };
}

/** One element of `GET /volumes`. @returns `null` for what is none */
export function readVolume(element: unknown): VolumeInfo | null {
  const read = volumeSchema.safeParse(element);
  return read.success ? { name: read.data.Name, labels: read.data.Labels ?? {} } : null;
}
