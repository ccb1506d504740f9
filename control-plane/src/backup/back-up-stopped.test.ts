import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readBackup } from '../registry/backup/read-backup.js';
import { enrolled, TemporaryRegistry } from '../registry/testing/temporary-registry.js';
import { backUpStopped } from './back-up-stopped.js';

describe('a backup of a control plane that does not run', () => {
  let place: TemporaryRegistry;
  let file: string;

  beforeEach(() => {
    place = new TemporaryRegistry();
    file = join(place.parent, 'fabric.backup');
  });
  afterEach(() => place.remove());

  it('is one like any other, and takes the place of a former one', async () => {
    enrolled(place.open());
    await place.close();
    writeFileSync(join(place.directory, 'admin.token'), 'token');
    writeFileSync(file, 'a former one');
    const { sizeBytes } = await backUpStopped(place.directory, file, true);
    expect(readBackup(file)).toMatchObject({ withSecrets: true, rows: { hosts: 1 }, sizeBytes });
    expect(readdirSync(place.parent)).toEqual(expect.arrayContaining(['data', 'fabric.backup']));
    // The directory can be used at once.
    place.open();
  });

  it('is refused while one runs there, and where there is no registry', async () => {
    place.open();
    await expect(backUpStopped(place.directory, file, true)).rejects.toMatchObject({
      code: 'registry_in_use',
    });
    const elsewhere = backUpStopped(join(place.parent, 'none'), file, true);
    await expect(elsewhere).rejects.toMatchObject({ code: 'backup_not_found' });
    expect(existsSync(file)).toBe(false);
  });
});
