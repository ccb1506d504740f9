import { ManualClock } from '@ai-fabric/shared/testing';
import { describe, expect, it, vi } from 'vitest';
import { type DiskReading, diskUsage } from './disk-usage.js';

/** A second, as `vi.waitFor` has it, is nothing on a machine that has other work. */
const soon = <Result>(check: () => Result | Promise<Result>): Promise<Result> =>
  vi.waitFor(check, { timeout: 30_000, interval: 10 });

const UNKNOWN = { diskUsedBytes: null, diskTotalBytes: null };
const FULL = { diskUsedBytes: 90, diskTotalBytes: 100 };

describe('the use of a disk', () => {
  it('is unknown at first, then what the disk said, asked every 15 s', async () => {
    const clock = new ManualClock();
    const ask = vi.fn(() => Promise.resolve<DiskReading>(FULL));
    const disk = diskUsage('/data', clock, ask);
    expect(disk.read()).toEqual(UNKNOWN);
    await soon(() => expect(disk.read()).toEqual(FULL));
    clock.advance(14_999);
    disk.read();
    expect(ask).toHaveBeenCalledTimes(1);
    clock.advance(1);
    disk.read();
    expect(ask).toHaveBeenCalledTimes(2);
    expect(ask).toHaveBeenCalledWith('/data');
  });

  it('is never waited for and never asked twice at once: a share that went away', async () => {
    const clock = new ManualClock();
    const ask = vi.fn(() => Promise.resolve<DiskReading>(FULL));
    const disk = diskUsage('/share', clock, ask);
    disk.read();
    await soon(() => expect(disk.read()).toEqual(FULL));
    ask.mockReturnValue(new Promise(() => undefined));
    clock.advance(15_000);
    expect(disk.read()).toEqual(FULL);
    clock.advance(60_000);
    expect(disk.read()).toEqual(UNKNOWN);
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('is unknown when the disk refuses', async () => {
    const clock = new ManualClock();
    const ask = vi.fn(() => Promise.reject<DiskReading>(new Error('EACCES')));
    const disk = diskUsage('/root', clock, ask);
    disk.read();
    await soon(() => expect(ask).toHaveBeenCalled());
    expect(disk.read()).toEqual(UNKNOWN);
  });
});
