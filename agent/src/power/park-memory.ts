import { join } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { PrivateFiles } from '../identity/private-files.js';

const memorySchema = z.object({
  version: z.literal(1),
  /** The boot in which the engines were parked; `null`: they are not. */
  parkedInBoot: z.string().max(80).nullable(),
});

const FILE = 'parked.json';

export interface ParkMemoryOptions {
  readonly stateDirectory: string;
  readonly files: PrivateFiles;
  readonly bootId: string;
  readonly log: Logger;
}

/** Whether this host's engines are parked: that outlives the agent, and ends with the machine's boot. */
export class ParkMemory {
  readonly #options: ParkMemoryOptions;
  #isParked: boolean;
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: ParkMemoryOptions, isParked: boolean) {
    this.#options = options;
    this.#isParked = isParked;
  }

  /**
   * A damaged file is told in the log, and the engines run.
   *
   * @throws StateFileError where it cannot be read, or others can read it
   */
  static async open(options: ParkMemoryOptions): Promise<ParkMemory> {
    const path = join(options.stateDirectory, FILE);
    const text = await options.files.read(path);
    const parsed = text === null ? null : memorySchema.safeParse(parseJson(text));
    if (parsed !== null && !parsed.success) {
      options.log.warn({ path }, 'power: what was kept of a park is damaged, and the engines run');
    }
    return new ParkMemory(options, parsed?.success === true && parsed.data.parkedInBoot === options.bootId);
  }

  get isParked(): boolean {
    return this.#isParked;
  }

  /** Resolves when it is kept. Never rejects: that it could not be is told in the log. */
  keep(isParked: boolean): Promise<void> {
    if (isParked === this.#isParked) return this.#writing;
    this.#isParked = isParked;
    const { stateDirectory, files, bootId, log } = this.#options;
    const text = JSON.stringify({
      version: 1,
      parkedInBoot: isParked ? bootId : null,
    } satisfies z.infer<typeof memorySchema>);
    this.#writing = this.#writing
      .then(() => files.write(join(stateDirectory, FILE), `${text}\n`))
      .catch((error: unknown) => {
        log.warn({ error: String(error) }, 'power: a park could not be kept: it ends with this agent');
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
