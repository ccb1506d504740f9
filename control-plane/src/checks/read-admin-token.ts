import { readFileSync } from 'node:fs';

/**
 * The admin token opens `/v1` also where no address is trusted. It is sent to our own listener alone, and kept
 * nowhere.
 *
 * @returns `null` when it cannot be read
 */
export function readAdminToken(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return null;
  }
}
