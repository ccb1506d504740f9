import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enrolled, TemporaryRegistry } from '../testing/temporary-registry.js';
import { BackupError } from './backup-format.js';
import { type BackupOrder, copyRegistry } from './copy-registry.js';
import { readBackup } from './read-backup.js';
import { planRestore, restoreBackup } from './restore-backup.js';

let place: TemporaryRegistry;
const log = pino({ level: 'silent' });

const order = (more: Partial<BackupOrder> = {}): BackupOrder => ({
  registryFile: place.file,
  file: join(place.parent, 'fabric.backup'),
  info: { formatVersion: 1, madeAtMs: 5_000, madeBy: '0.1.0', madeOn: 'motoko', certificateSha256: 'ab' },
  files: { 'certificate.pem': 'certificate', 'key.pem': 'key', 'admin.token': 'token' },
  ...more,
});

beforeEach(() => {
  place = new TemporaryRegistry();
});
afterEach(() => place.remove());

describe('a backup of a registry', () => {
  it('is whole while the registry is written to all the time', async () => {
    const host = enrolled(place.open());
    const writer = new Database(place.file);
    writer.pragma('synchronous = OFF');
    const add = writer.prepare('INSERT INTO host_events (host_id, at_ms, event, detail) VALUES (?, ?, ?, ?)');
    const grow = (): void => void add.run(host.hostId, 1, 'late', 'x'.repeat(50_000));
    writer.transaction(() => {
      for (let count = 0; count < 400; count += 1) grow();
    })();
    let written = 0;
    const writing = setInterval(() => {
      grow();
      written += 1;
    }, 1);
    const copied = await copyRegistry(order());
    clearInterval(writing);
    writer.close();
    expect(written).toBeGreaterThan(0);
    const backup = readBackup(order().file);
    // The file as it was when it began: what came later is in the next one.
    expect(backup.rows).toMatchObject({ hosts: 1, host_events: 401 });
    expect(backup).toMatchObject({ withSecrets: true, info: order().info, sizeBytes: copied.sizeBytes });
  });

  it.skipIf(process.platform === 'win32')('is for its owner alone, and one file', async () => {
    enrolled(place.open());
    await copyRegistry(order());
    expect(statSync(order().file).mode & 0o777).toBe(0o600);
    expect(readdirSync(place.parent).filter((name) => name.startsWith('fabric'))).toEqual(['fabric.backup']);
  });

  it('of one that is damaged is refused, and none is left', async () => {
    enrolled(place.open());
    await place.close();
    const size = statSync(place.file).size;
    const content = readFileSync(place.file);
    randomBytes(8_192).copy(content, size - 16_384);
    writeFileSync(place.file, content);
    const failure = await copyRegistry(order()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BackupError);
    expect(existsSync(order().file)).toBe(false);
  });
});

describe('a restore', () => {
  it('gives back what was there at the time, and keeps what gives way', async () => {
    const host = enrolled(place.open());
    await copyRegistry(order());
    place.open({ dataDirectory: join(place.parent, 'other') });
    await place.close();
    expect(planRestore(order().file, place.directory)).toMatchObject({
      replaces: expect.arrayContaining(['registry.sqlite']),
      formerRegistry: { rows: { hosts: 1 } },
    });
    const { keptIn } = restoreBackup(order().file, place.directory, { nowMs: 0, log });
    expect(keptIn).toBe(join(place.directory, '.before-restore-19700101T000000Z'));
    expect(readdirSync(keptIn ?? '')).toContain('registry.sqlite');
    expect(readFileSync(join(place.directory, 'admin.token'), 'utf8')).toBe('token');
    expect(readFileSync(join(place.directory, 'tls', 'key.pem'), 'utf8')).toBe('key');
    const registry = place.open();
    expect(registry.hosts.list()).toEqual([host]);
    await place.close();
    // What is secret is not left in the registry's unused pages.
    expect(readFileSync(place.file).includes('certificate.pem')).toBe(false);
  });

  it('is refused while a control plane runs there, and of a backup that was cut off', async () => {
    enrolled(place.open());
    await copyRegistry(order());
    expect(() => restoreBackup(order().file, place.directory, { nowMs: 0, log })).toThrow(
      expect.objectContaining({ code: 'registry_in_use' }),
    );
    truncateSync(order().file, 9_000);
    expect(() => planRestore(order().file, place.directory)).toThrow(
      expect.objectContaining({ code: 'backup_corrupt' }),
    );
  });

  it('of a newer program names both versions', async () => {
    enrolled(place.open());
    await copyRegistry(order());
    const raw = new Database(order().file);
    raw
      .prepare('INSERT INTO __drizzle_migrations (hash, created_at) VALUES (?, ?)')
      .run('x', Date.UTC(2099, 0));
    raw.exec("UPDATE meta SET value = '9.8.7' WHERE key = 'written_by'");
    raw.close();
    expect(() => readBackup(order().file)).toThrow(
      expect.objectContaining({
        code: 'backup_newer',
        message: expect.stringContaining('written by ai-fabric 9.8.7'),
      }),
    );
  });
});
