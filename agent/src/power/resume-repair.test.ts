import type { Issue } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { CardHealth } from './decide/judge-repair.js';
import { ResumeRepair, type ResumeRepairOptions } from './resume-repair.js';

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

function repairAll(over: Partial<ResumeRepairOptions> = {}) {
  const clock = new ManualClock();
  const done: string[] = [];
  const told: (readonly Issue[])[] = [];
  const world: { health: CardHealth } = { health: { kind: 'well' } };
  const repair = new ResumeRepair({
    health: () => world.health,
    restart: async (meanwhile) => {
      done.push('stop');
      await meanwhile();
      done.push('start');
    },
    reloadDriver: async () => void done.push('reload'),
    reboot: async () => void done.push('reboot'),
    onIssues: (issues) => told.push(issues),
    platform: 'linux',
    clock,
    log: pino({ level: 'silent' }),
    ...over,
  });
  const pass = async (seconds: number): Promise<void> => {
    for (let at = 0; at < seconds; at += 5) {
      clock.advance(5_000);
      await settle();
    }
  };
  return { repair, world, done, told, pass };
}

const BROKEN: CardHealth = { kind: 'broken', what: 'gpu_lost' };

describe('the repair after a sleep', () => {
  it('looks until the cards are proven, and then no more', async () => {
    const { repair, pass, told, world, done } = repairAll();
    repair.begin(false);
    world.health = { kind: 'pending' };
    await pass(30);
    expect(told).toEqual([]);
    world.health = { kind: 'well' };
    await pass(10);
    world.health = BROKEN;
    await pass(300);
    expect(told).toEqual([[]]);
    expect(done).toEqual([]);
  });

  it('goes down the ladder with the engines stopped where the driver is loaded anew', async () => {
    const { repair, pass, done, world } = repairAll();
    repair.begin(false);
    world.health = BROKEN;
    await pass(60);
    expect(done).toEqual(['stop', 'start', 'stop', 'reload', 'start', 'reboot']);
  });

  it('leaves alone what was broken before the sleep', async () => {
    const { repair, pass, done, told, world } = repairAll();
    world.health = BROKEN;
    repair.note();
    repair.begin(false);
    await pass(300);
    expect(done).toEqual([]);
    expect(told).toEqual([]);
  });

  it('tells what a person has to do, and takes it back when it works again', async () => {
    const { repair, pass, told, world } = repairAll({ reloadDriver: null, reboot: null });
    repair.begin(true);
    world.health = BROKEN;
    await pass(30);
    expect(told).toMatchObject([[{ code: 'gpu_lost_after_resume' }]]);
    world.health = { kind: 'well' };
    await pass(20);
    expect(told.at(-1)).toEqual([]);
  });

  it('tells it too when the restart is refused, and goes on when a step fails', async () => {
    const { repair, pass, told, world } = repairAll({
      reloadDriver: () => Promise.reject(new Error('modprobe: FATAL: Module nvidia_uvm is in use.')),
      reboot: () => Promise.reject(new Error('inhibited')),
    });
    repair.begin(true);
    world.health = BROKEN;
    await pass(60);
    expect(told.at(-1)?.[0]?.detail).toContain('the machine was told to restart');
  });

  it('ends when the machine sleeps again', async () => {
    const { repair, pass, done, world } = repairAll();
    repair.begin(true);
    world.health = BROKEN;
    repair.end();
    await pass(60);
    expect(done).toEqual([]);
  });
});
