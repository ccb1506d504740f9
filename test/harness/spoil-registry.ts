import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PROGRAMS } from './run-program.js';

/** SQLite is the registry's alone; what it will look like some day is written with the same library. */
interface Sqlite {
  prepare(sql: string): { run(...values: readonly unknown[]): void };
  exec(sql: string): void;
  close(): void;
}

/** As a later version would leave the registry behind. */
export function ageRegistry(dataDirectory: string, writtenBy: string): void {
  const Database = createRequire(PROGRAMS.controlPlane)('better-sqlite3') as new (file: string) => Sqlite;
  const registry = new Database(join(dataDirectory, 'registry.sqlite'));
  registry
    .prepare('INSERT INTO __drizzle_migrations (hash, created_at) VALUES (?, ?)')
    .run('of the future', Date.UTC(2099, 0));
  registry.prepare("UPDATE meta SET value = ? WHERE key = 'written_by'").run(writtenBy);
  registry.close();
}

const NOBODY = 65_534;

/**
 * Takes the right to write the registry from whoever runs the tests, or, since root has every right, from an account
 * without any.
 *
 * @returns the account to start the control plane as; a text where there is none, which says why
 */
export function makeReadOnly(dataDirectory: string): { readonly uid: number } | string {
  const uid = process.getuid?.();
  if (uid === undefined) return 'this system has no modes of files';
  const account = uid === 0 ? NOBODY : uid;
  if (uid === 0) {
    const tried = spawnSync(process.execPath, [PROGRAMS.controlPlane, '--version'], {
      uid: NOBODY,
      gid: NOBODY,
    });
    if (tried.status !== 0) return 'an account without rights cannot run the programs of this checkout';
  }
  const files = readdirSync(dataDirectory, { recursive: true, encoding: 'utf8' });
  for (const path of [
    dirname(dataDirectory),
    dataDirectory,
    ...files.map((file) => join(dataDirectory, file)),
  ]) {
    if (uid === 0) chownSync(path, account, account);
  }
  for (const file of files.filter((name) => name.startsWith('registry.sqlite'))) {
    const path = join(dataDirectory, file);
    if (existsSync(path)) chmodSync(path, 0o400);
  }
  return { uid: account };
}
