import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { judgeSchema } from '../migrate-registry.js';
import { wrapDatabase } from '../registry-database.js';
import { toRegistryError } from '../registry-error.js';

export type RegistryInspection =
  | { readonly kind: 'none' }
  /** `schema`: migrations that were applied to it, at most as many as this program knows. */
  | { readonly kind: 'sound'; readonly schema: number; readonly bytes: number }
  /** Written by a newer program, damaged, or none of ours. */
  | { readonly kind: 'refused'; readonly detail: string; readonly fix: string };

/** Whether this program could go on with a registry, also while another one runs on it. Changes nothing. */
export function inspectRegistry(file: string): RegistryInspection {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return { kind: 'none' };
  let raw: Database.Database | undefined;
  try {
    raw = new Database(file, { readonly: true, fileMustExist: true });
    return { kind: 'sound', schema: judgeSchema(wrapDatabase(raw, file)).applied, bytes: stats.size };
  } catch (error) {
    const { message, fix } = toRegistryError(error, file);
    return { kind: 'refused', detail: message, fix };
  } finally {
    raw?.close();
  }
}
