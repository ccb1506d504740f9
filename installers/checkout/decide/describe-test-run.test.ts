import { describe, expect, it } from 'vitest';
import { describeTestRun } from './describe-test-run.mjs';

const skipped = (count: number, reason: string) =>
  Array.from({ length: count }, (_, index) => ({ name: `test ${index}`, reason }));

describe('the end of a test run', () => {
  it('is the counts, after what to do next', () => {
    const run = describeTestRun({ passed: 12, failed: 0, skipped: [] }, 0, false);
    expect(run.exitCode).toBe(0);
    expect(run.lines.at(-1)).toBe('12 passed, 0 failed, 0 skipped');
    expect(run.lines.at(-2)).toMatch(/^Next: /);
  });

  it('lists what was skipped under its reason, and says who can provide it', () => {
    const tally = {
      passed: 1,
      failed: 0,
      skipped: [...skipped(7, 'Wine is absent'), ...skipped(1, 'not selected')],
    };
    const { lines } = describeTestRun(tally, 0, false);
    expect(lines.filter((line) => line.startsWith('Skipped, '))).toEqual([
      'Skipped, Wine is absent:',
      'Skipped, not selected:',
    ]);
    expect(lines).toContain('  - and 2 more');
    expect(lines.at(-2)).toContain('.ci/run');
    expect(lines.at(-1)).toBe('1 passed, 0 failed, 8 skipped');
  });

  it('fails with the runner, however it counted', () => {
    expect(describeTestRun({ passed: 3, failed: 2, skipped: [] }, 1, false)).toMatchObject({ exitCode: 1 });
    const crashed = describeTestRun(null, 139, false);
    expect(crashed.lines.at(-1)).toBe('0 passed, 1 failed, 0 skipped');
    expect(crashed.exitCode).toBe(139);
  });

  it('never tells of success when nothing could be counted or when the runner was not content', () => {
    expect(describeTestRun(null, 0, false)).toMatchObject({ exitCode: 1 });
    const discontent = describeTestRun({ passed: 3, failed: 0, skipped: [] }, 1, false);
    expect(discontent.lines.at(-1)).toBe('3 passed, 1 failed, 0 skipped');
  });

  it('fails when a test failed, even if the runner forgot', () => {
    expect(describeTestRun({ passed: 3, failed: 1, skipped: [] }, 0, false)).toMatchObject({ exitCode: 1 });
  });
});
