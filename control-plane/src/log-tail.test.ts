import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { LogTail } from './log-tail.js';

describe('the last lines of the log', () => {
  it('go where they went, and are told as objects, oldest first', () => {
    const lines: string[] = [];
    const tail = new LogTail({ write: (line) => lines.push(line) });
    const log = pino({ base: null }, tail);
    log.child({ room: 'link' }).warn({ host: 'armitage' }, 'is late');
    log.debug('is not told at this level');
    log.info('is back');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
    expect(tail.entries()).toMatchObject([
      { level: 40, room: 'link', host: 'armitage', msg: 'is late' },
      { level: 30, msg: 'is back' },
    ]);
  });

  it('are bounded: the oldest go, and one that is too long is not kept', () => {
    const tail = new LogTail({ write: () => true });
    for (let count = 0; count < 10_000; count += 1)
      tail.write(`${JSON.stringify({ count })}${' '.repeat(100)}\n`);
    tail.write(`"${'x'.repeat(20_000)}"\n`);
    const entries = tail.entries() as { count: number }[];
    expect(entries.at(-1)).toEqual({ count: 9_999 });
    expect(entries.length).toBeGreaterThan(2_000);
    expect(entries.length).toBeLessThan(2_600);
    expect(entries[0]).toEqual({ count: 10_000 - entries.length });
  });

  it('that are no JSON come as text', () => {
    const tail = new LogTail({ write: () => true });
    tail.write('half a li\n');
    expect(tail.entries()).toEqual(['half a li']);
  });
});
