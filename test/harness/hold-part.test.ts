import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { holdPart } from './hold-part.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ai-fabric-hold-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const heldBy = (name: string, pid: number) =>
  writeFileSync(join(folder, `ai-fabric-part-${process.getuid?.() ?? 0}-${name}.held`), String(pid));

it('is had by one at a time', async () => {
  const first = await holdPart('wine', folder);
  let isHeld = false;
  const second = holdPart('wine', folder).then((held) => {
    isHeld = true;
    return held;
  });
  const other = await holdPart('lan', folder);
  expect(isHeld).toBe(false);
  first.release();
  (await second).release();
  other.release();
  expect(readdirSync(folder)).toEqual([]);
});

it('is taken from who died with it', async () => {
  // No process has this number: those of Linux end before it.
  heldBy('wine', 2 ** 30);
  const held = await holdPart('wine', folder);
  held.release();
});

it('is given up with the name of who keeps it', async () => {
  heldBy('wine', process.pid);
  await expect(holdPart('wine', folder, 300)).rejects.toThrow(`process ${process.pid} has wine for itself`);
});
