import { EventEmitter, once } from 'node:events';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { holdAlone } from './hold-alone.js';
import { InstallRefusedError } from './install-errors.js';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hold-alone-'));
  path = join(folder, 'install.sock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('lets one in at a time, and the next one once it is over', async () => {
  const turns = new EventEmitter();
  const entered = once(turns, 'entered');
  const one = holdAlone(path, async () => {
    turns.emit('entered');
    await once(turns, 'leave');
    return 'done';
  });
  await entered;
  const second = await holdAlone(path, async () => 'let in').catch((error: unknown) => error);
  expect(second).toBeInstanceOf(InstallRefusedError);
  expect(second).toMatchObject({ refusals: [{ code: 'install_under_way' }] });
  turns.emit('leave');
  expect(await one).toBe('done');
  expect(existsSync(path)).toBe(false);
  expect(await holdAlone(path, async () => 'let in')).toBe('let in');
});

it('lets the next one in after one that failed', async () => {
  await expect(holdAlone(path, () => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk');
  expect(await holdAlone(path, async () => 'let in')).toBe('let in');
});

it('takes no notice of what one left that was killed', async () => {
  const killed = createServer().listen(`${path}.other`);
  await once(killed, 'listening');
  renameSync(`${path}.other`, path);
  killed.close();
  await once(killed, 'close');
  expect(existsSync(path)).toBe(true);
  expect(await holdAlone(path, async () => 'let in')).toBe('let in');
});

it('keeps nobody out who may change nothing', async () => {
  expect(await holdAlone(null, () => holdAlone(null, async () => 'let in'))).toBe('let in');
});

it('says what the matter is where there is no such folder', async () => {
  const nowhere = join(folder, 'nowhere', 'install.sock');
  await expect(holdAlone(nowhere, async () => 'let in')).rejects.toThrow(nowhere);
});
