import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cpuRatioBetween, parseProcStat, sumCpuTimes } from './parse-proc-stat.js';

describe('CPU time of /proc/stat', () => {
  it('is the first line: waiting for a disk is idle, guests are in user time already', () => {
    const text = 'cpu  100 5 50 800 40 3 2 10 60 1\ncpu0 1 2 3 4\nintr 5\n';
    expect(parseProcStat(text)).toEqual({ busy: 170, total: 1010 });
  });

  it('may lack the newer columns, or its line feed', () => {
    expect(parseProcStat('cpu 1 2 3 4')).toEqual({ busy: 6, total: 10 });
  });

  it.each(['', 'cpu', 'cpu 1 2', 'cpu0 1 2 3 4', 'cpu a b c d', '<html>'])('is unknown for %j', (text) => {
    expect(parseProcStat(text)).toBeNull();
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseProcStat(`cpu ${text}`)));
  });
});

describe('CPU time of os.cpus()', () => {
  it('is added up over all processors', () => {
    const times = { user: 10, nice: 1, sys: 5, idle: 80, irq: 4 };
    expect(sumCpuTimes([{ times }, { times }])).toEqual({ busy: 40, total: 200 });
    expect(sumCpuTimes([])).toBeNull();
  });
});

describe('the busy share', () => {
  it.each([
    [{ busy: 0, total: 0 }, { busy: 25, total: 100 }, 0.25],
    [{ busy: 10, total: 100 }, { busy: 10, total: 200 }, 0],
    [{ busy: 10, total: 100 }, { busy: 110, total: 200 }, 1],
    // An idle counter stepped back: more busy than time.
    [{ busy: 10, total: 100 }, { busy: 115, total: 200 }, 1],
    [null, { busy: 1, total: 2 }, null],
    [{ busy: 1, total: 2 }, null, null],
    [{ busy: 1, total: 2 }, { busy: 1, total: 2 }, null],
    [{ busy: 9, total: 20 }, { busy: 1, total: 30 }, null],
    [{ busy: 9, total: 20 }, { busy: 1, total: 3 }, null],
  ])('from %j to %j is %j', (before, after, ratio) => {
    expect(cpuRatioBetween(before, after)).toBe(ratio);
  });

  it('is within 0 and 1 or unknown, whatever the counters do', () => {
    const times = fc.record({ busy: fc.nat(), total: fc.nat() });
    fc.assert(
      fc.property(times, times, (before, after) => {
        const ratio = cpuRatioBetween(before, after);
        expect(ratio === null || (ratio >= 0 && ratio <= 1)).toBe(true);
      }),
    );
  });
});
