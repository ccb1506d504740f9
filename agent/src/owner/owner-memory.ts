import { join } from 'node:path';
import { yieldSettingsSchema } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { PrivateFiles } from '../identity/private-files.js';

const ratio = z.number().min(0).max(1).nullable();
const memorySchema = z.object({
  version: z.literal(1),
  claims: z.object({ owner: z.boolean(), operator: z.boolean(), foreign: z.boolean() }),
  /** As last told by the control plane; `null`: never. */
  settings: yieldSettingsSchema.nullable(),
  /** By card: what the desktop usually takes. */
  desktops: z.record(
    z.string().max(80),
    z.object({ bytes: z.number().min(0).nullable(), utilisationRatio: ratio }),
  ),
});
export type RememberedOwner = z.infer<typeof memorySchema>;

const FILE = 'owner.json';
const NOTHING: RememberedOwner = {
  version: 1,
  claims: { owner: false, operator: false, foreign: false },
  settings: null,
  desktops: {},
};

/** What must outlive the agent of its host's owner: who has the cards, on what terms, and what the desktop takes. */
export class OwnerMemory {
  readonly #path: string;
  readonly #files: PrivateFiles;
  readonly #log: Logger;
  readonly known: RememberedOwner;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, files: PrivateFiles, log: Logger, known: RememberedOwner) {
    this.#path = path;
    this.#files = files;
    this.#log = log;
    this.known = known;
  }

  /**
   * A damaged file is told in the log and forgotten: what it held can be said and learnt again.
   *
   * @throws StateFileError where it cannot be read, or others can read it
   */
  static async open(directory: string, files: PrivateFiles, log: Logger): Promise<OwnerMemory> {
    const path = join(directory, FILE);
    const text = await files.read(path);
    const parsed = text === null ? null : memorySchema.safeParse(parseJson(text));
    if (parsed !== null && !parsed.success) {
      log.warn({ path }, 'owner: what was kept is damaged and is begun anew');
    }
    return new OwnerMemory(path, files, log, parsed?.success ? parsed.data : NOTHING);
  }

  /** Writes in the order of the calls. Never rejects: that it could not be kept is told in the log. */
  save(owner: Omit<RememberedOwner, 'version'>): Promise<void> {
    const text = `${JSON.stringify({ version: 1, ...owner } satisfies RememberedOwner)}\n`;
    this.#writing = this.#writing
      .then(() => this.#files.write(this.#path, text))
      .catch((error: unknown) => {
        this.#log.warn({ error: String(error) }, 'owner: what was said could not be kept');
      });
    return this.#writing;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
