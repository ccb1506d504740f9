import { z } from 'zod';

const versionSchema = z.object({
  version: z.string().max(60),
  /** Its folder within `versions`. */
  folder: z.string().regex(/^[\w.+-]{1,100}$/),
});

const earlierSchema = versionSchema.extend({
  /** How many migrations its registry had; `null`: there was none yet. */
  schema: z.int().nullable(),
  /** The registry as it left it; `null`: there was none yet. */
  backup: z.string().nullable(),
});

const litellmSchema = z.object({
  /** The service whose port was taken over. */
  unit: z.string().regex(/^[\w.@:\\-]{1,255}\.service$/),
  wasEnabled: z.boolean(),
  port: z.int(),
  /** Where this control plane was before; `null`: nowhere in particular. */
  formerPort: z.int().nullable(),
});

/** What an installation made and where it stands; written before each thing is done, so that it may end anywhere. */
export const installedSchema = z.object({
  format: z.literal(1),
  /** Absolute paths, and `user`; what was there before is not among them. */
  made: z.array(z.string().max(4096)),
  current: versionSchema.nullable(),
  /** What `--rollback` returns to. */
  previous: earlierSchema.nullable(),
  /** An upgrade that is under way, or was cut off; `to` is what it was to become. */
  upgrade: z.object({ from: earlierSchema, to: versionSchema }).nullable(),
  /** Of the fabric.yaml that the installation wrote: as long as it has this, nobody has edited it. */
  starterSha256: z.string().nullable(),
  litellm: litellmSchema.nullable(),
});

export type InstalledRecord = z.infer<typeof installedSchema>;
export type InstalledVersion = z.infer<typeof versionSchema>;
export type EarlierVersion = z.infer<typeof earlierSchema>;
export type ReplacedLitellm = z.infer<typeof litellmSchema>;

export const NOTHING_INSTALLED: InstalledRecord = {
  format: 1,
  made: [],
  current: null,
  previous: null,
  upgrade: null,
  starterSha256: null,
  litellm: null,
};
