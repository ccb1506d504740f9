import { z } from 'zod';

/** What every path in the archive begins with. */
export const BUNDLE_FOLDER = 'ai-fabric-agent-bundle';
export const MANIFEST_NAME = 'manifest.json';

const bundleFileSchema = z.object({
  /** Its path below the archive's folder. */
  name: z.string().min(1).max(300),
  bytes: z.int().min(0),
  sha256: z.string().max(64),
  /** The program with its arguments, the address or the path that it is the answer of. */
  source: z.string().max(2_000),
  /** Arguments of a program, so that whoever replays it knows what was asked. */
  args: z.array(z.string().max(2_000)).max(100).nullable(),
  /** The exit code of a program, or the status of an answer over HTTP; `null`: neither. */
  answer: z.int().nullable(),
  /** Lines were left out of it, for it was too long. */
  cut: z.boolean(),
  /** How many places of it are masked. */
  masked: z.int().min(0),
});
export type BundleFile = z.infer<typeof bundleFileSchema>;

/** What `manifest.json` of a support bundle says. */
export const bundleManifestSchema = z.object({
  format: z.literal(1),
  /** ISO. */
  madeAt: z.string().max(40),
  /** As `--version` says it, and its parts. */
  program: z.string().max(200),
  version: z.string().max(100),
  commit: z.string().max(80).nullable(),
  protocol: z.int(),
  node: z.string().max(40),
  platform: z.string().max(20),
  kernel: z.string().max(200),
  /** Names of hosts and people, addresses and MACs have stand-ins. */
  namesRedacted: z.boolean(),
  files: z.array(bundleFileSchema).max(2_000),
  /** What could not be had, and why. */
  missing: z.array(z.object({ name: z.string().max(300), reason: z.string().max(1_000) })).max(2_000),
  /** Whose values are masked wherever they stand: names, never values. */
  secrets: z.array(z.string().max(300)).max(1_000),
});
export type BundleManifest = z.infer<typeof bundleManifestSchema>;
