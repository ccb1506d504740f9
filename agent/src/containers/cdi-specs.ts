import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CdiState, judgeCdiSpecs } from './decide/judge-cdi-specs.js';

/** Tells what the machine's CDI specs know. Only asked when the engine could not resolve a card. */
export interface CdiSpecs {
  state(uuid: string): Promise<CdiState>;
}

/** Where every engine looks. */
export const CDI_FOLDERS = ['/etc/cdi', '/var/run/cdi'];
/** A spec of one driver is some 20 KB. */
const MAX_SPECS = 64;

export function cdiSpecs(folders: readonly string[] = CDI_FOLDERS): CdiSpecs {
  return {
    state: async (uuid) => {
      const texts: string[] = [];
      for (const folder of folders) {
        // Without the folder, or the right to read it, there is nothing to tell.
        const files = await readdir(folder).catch(() => []);
        for (const file of files.filter((name) => /\.(ya?ml|json)$/.test(name)).slice(0, MAX_SPECS)) {
          texts.push(await readFile(join(folder, file), 'utf8').catch(() => ''));
        }
      }
      return judgeCdiSpecs(texts, uuid);
    },
  };
}
