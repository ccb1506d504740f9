import { z } from 'zod';

/** More than any release needs, and little enough to be read into memory from a stranger. */
export const MAX_MANIFEST_BYTES = 256 * 1024;

/** The only one there is. A later one is refused by its number before anything else of it is read. */
export const RELEASE_FORMAT = 1;

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** `1.2.3`, `1.2.3-rc.1`; short enough for a folder's name and a hello. */
export const releaseVersionSchema = z
  .string()
  .max(40)
  .regex(/^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z]+(?:[.-][0-9A-Za-z]+)*)?$/);

/** Git's, in full; `-dirty` where files differed from it. */
export const commitSchema = z.string().regex(/^[0-9a-f]{40}(?:-dirty)?$/);

/** A file in one folder: it cannot lead out of it, hide, or be an option of a program. */
const fileNameSchema = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);

/** The same with folders between. */
const filePathSchema = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/);

const fileSizeSchema = z.int().min(0);

export const releaseArtefactSchema = z.object({
  name: fileNameSchema,
  kind: z.enum(['agent', 'control-plane', 'script']),
  os: z.enum(['linux', 'windows']).nullable(),
  architecture: z.enum(['x64']).nullable(),
  compression: z.enum(['gzip', 'xz', 'zip']).nullable(),
  bytes: fileSizeSchema,
  sha256: sha256Schema,
  /** What it holds, unpacked: the programs, by their path within it. Of a script none. */
  files: z.array(z.object({ name: filePathSchema, bytes: fileSizeSchema, sha256: sha256Schema })).max(64),
});
export type ReleaseArtefact = z.infer<typeof releaseArtefactSchema>;

/** `manifest.json` of a release folder: what there is of one version, with the SHA-256 of each file. */
export const releaseManifestSchema = z.object({
  format: z.literal(RELEASE_FORMAT),
  version: releaseVersionSchema,
  commit: commitSchema.nullable(),
  protocol: z.int().min(1),
  /** The oldest protocol version that its programs still speak. */
  oldestProtocol: z.int().min(1),
  builtAt: z.iso.datetime(),
  /** Of the release key's public half, DER SPKI. `null`: it is not signed. */
  keySha256: sha256Schema.nullable(),
  artefacts: z
    .array(releaseArtefactSchema)
    .min(1)
    .max(64)
    .refine((artefacts) => new Set(artefacts.map(({ name }) => name)).size === artefacts.length, {
      error: 'two artefacts have one name',
    }),
});
export type ReleaseManifest = z.infer<typeof releaseManifestSchema>;

/** @returns what is wrong with a file, in words; `null` where it is the one that a manifest names */
export function judgeFile(
  expected: { readonly name: string; readonly bytes: number; readonly sha256: string },
  found: { readonly bytes: number; readonly sha256: string },
): string | null {
  if (found.bytes !== expected.bytes) {
    return `${expected.name} has ${found.bytes} bytes, and the manifest says ${expected.bytes}`;
  }
  if (found.sha256 !== expected.sha256) {
    return `${expected.name} has the SHA-256 ${found.sha256}, and the manifest says ${expected.sha256}`;
  }
  return null;
}
