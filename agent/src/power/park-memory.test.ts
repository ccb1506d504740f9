import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { PrivateFiles } from '../identity/private-files.js';
import { ParkMemory } from './park-memory.js';

function rig() {
  const disk = new Map<string, string>();
  const warnings: string[] = [];
  let isFull = false;
  const files: PrivateFiles = {
    prepare: () => Promise.resolve(),
    read: async (path) => disk.get(path) ?? null,
    write: async (path, text) => {
      if (isFull) throw new Error('ENOSPC');
      disk.set(path, text);
    },
  };
  const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  const open = (bootId = 'boot-1') => ParkMemory.open({ stateDirectory: '/state', files, bootId, log });
  const fill = () => {
    isFull = true;
  };
  return { disk, warnings, open, fill };
}

describe('what is kept of a park', () => {
  it('outlives the agent, and ends when somebody ends it', async () => {
    const { open } = rig();
    const memory = await open();
    expect(memory.isParked).toBe(false);
    await memory.keep(true);
    const next = await open();
    expect(next.isParked).toBe(true);
    await next.keep(false);
    expect((await open()).isParked).toBe(false);
  });

  it('ends with the boot: a machine that was off begins as it is declared', async () => {
    const { open } = rig();
    await (await open()).keep(true);
    expect((await open('boot-2')).isParked).toBe(false);
  });

  it.each(['', '{', '[]', '{"version":2}', '{"version":1,"parkedInBoot":7}'])(
    'is nothing where it is damaged, which is told: %j',
    async (text) => {
      const { disk, warnings, open } = rig();
      disk.set('/state/parked.json', text);
      expect((await open()).isParked).toBe(false);
      expect(warnings.join()).toContain('damaged');
    },
  );

  it('that could not be written is told, and holds for this agent', async () => {
    const { warnings, open, fill } = rig();
    const memory = await open();
    fill();
    await memory.keep(true);
    expect(memory.isParked).toBe(true);
    expect(warnings.join()).toContain('could not be kept');
  });
});
