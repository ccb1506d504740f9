import { readFile } from 'node:fs/promises';
import { networkInterfaceSchema } from '@ai-fabric/shared';
import { z } from 'zod';
import type { PhysicalInterface } from './network-interfaces.js';

const fileSchema = z.array(networkInterfaceSchema).max(32);

/**
 * For simulated machines, of which one computer runs several: the interfaces are those of a file of JSON, as a report
 * tells them, and not the computer's own.
 *
 * @returns a reader that rejects, naming the file, where it cannot be read or holds something else
 */
export function simulatedInterfaceReader(path: string): () => Promise<PhysicalInterface[]> {
  return async () => {
    const parsed = fileSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    if (parsed.success) return parsed.data.map((facts) => ({ facts, device: facts.name }));
    const [first] = parsed.error.issues;
    throw new Error(
      `${path}: ${first?.path.join('.') ?? ''}: ${first?.message ?? 'not a list of interfaces'}`,
    );
  };
}
