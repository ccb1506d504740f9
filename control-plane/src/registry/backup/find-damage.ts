import type Database from 'better-sqlite3';

/** @returns what SQLite finds wrong with a file, `null` for nothing */
export function findDamage(database: Database.Database): string | null {
  const found = database.pragma('integrity_check(1)', { simple: true });
  if (found !== 'ok') return String(found).slice(0, 200);
  const [broken] = database.pragma('foreign_key_check') as readonly { readonly table: string }[];
  return broken === undefined ? null : `a row of ${broken.table} refers to one that is not there`;
}
