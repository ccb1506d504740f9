import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@ai-fabric/shared/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataDirectoryLayout } from '../config/data-directory-layout.js';
import type { BackupOrder } from '../registry/backup/copy-registry.js';
import { BackupDesk } from './backup-desk.js';

let directory: string;
let clock: ManualClock;
let orders: BackupOrder[];
let finish: (() => void)[];

function desk(): BackupDesk {
  return new BackupDesk({
    ...{ layout: dataDirectoryLayout(directory), certificateSha256: 'ab', clock },
    make: (order) =>
      new Promise((resolve) => {
        orders.push(order);
        writeFileSync(order.file, 'backup');
        finish.push(() => resolve({ sizeBytes: 6, sha256: 'cd' }));
      }),
  });
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'desk-'));
  clock = new ManualClock();
  orders = [];
  finish = [];
  mkdirSync(join(directory, 'tls'));
  for (const name of ['tls/certificate.pem', 'tls/key.pem', 'admin.token']) {
    writeFileSync(join(directory, name), name);
  }
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the backup desk', () => {
  it('makes one at a time', async () => {
    const one = desk();
    const first = one.draft(true);
    await expect(one.draft(true)).rejects.toMatchObject({ code: 'backup_in_progress' });
    finish[0]?.();
    (await first).discard();
    const second = one.draft(true);
    finish[1]?.();
    expect(await second).toMatchObject({ sizeBytes: 6, sha256: 'cd' });
  });

  it('puts the secrets in, or leaves them out', async () => {
    const one = desk();
    for (const secrets of [true, false]) {
      const made = one.draft(secrets);
      finish.at(-1)?.();
      (await made).discard();
    }
    expect(orders.map(({ files }) => Object.keys(files).length)).toEqual([3, 0]);
    expect(orders[0]?.files).toMatchObject({ 'key.pem': 'tls/key.pem' });
  });

  it('keeps a draft until it is given back, an hour at most, and nothing of a former process', async () => {
    const one = desk();
    const drafts = [one.draft(true)];
    finish[0]?.();
    const { file, discard } = (await drafts[0]) ?? {};
    clock.advance(3_600_000);
    expect(existsSync(file ?? '')).toBe(false);
    discard?.();
    const left = one.draft(true);
    finish[1]?.();
    const { file: stays } = await left;
    desk();
    expect(existsSync(stays)).toBe(false);
  });

  it('hands out no more than four at once', async () => {
    const one = desk();
    for (let count = 0; count < 4; count += 1) {
      const made = one.draft(true);
      finish.at(-1)?.();
      await made;
    }
    await expect(one.draft(true)).rejects.toMatchObject({ code: 'backup_in_progress' });
    clock.advance(3_600_000);
    const again = one.draft(true);
    finish.at(-1)?.();
    await expect(again).resolves.toMatchObject({ sizeBytes: 6 });
  });

  it('says so when the directory is not there', async () => {
    await expect(desk().make(join(directory, 'none', 'file'), true)).rejects.toMatchObject({
      code: 'backup_failed',
      fix: expect.stringContaining('mount'),
    });
  });
});
