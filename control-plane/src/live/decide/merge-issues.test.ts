import type { Issue } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { sampleOf } from '../testing/live-fixtures.js';
import { believeSample } from './believe-sample.js';
import { clockSkewIssue, judgeClockSkew } from './judge-clock-skew.js';
import { datedIssues, mergeIssues, sameIssues } from './merge-issues.js';

const issue = (code: Issue['code'], subject = 'host', detail = 'x'): Issue => ({
  code,
  subject,
  severity: 'warning',
  detail,
  fix: null,
});

describe('the issues of a host', () => {
  it('are ours first, then its agent’s', () => {
    const merged = mergeIssues([issue('clock_skew')], [issue('no_gpu'), issue('gpu_lost', 'GPU-1')]);
    expect(merged.map(({ code }) => code)).toEqual(['clock_skew', 'no_gpu', 'gpu_lost']);
  });

  it('are known since they were first seen, whatever is said of them later', () => {
    const first = datedIssues([issue('no_gpu')], [], 1_000);
    const second = datedIssues([issue('no_gpu', 'host', 'still'), issue('gpu_lost', 'GPU-1')], first, 2_000);
    expect(second.map(({ detail, sinceMs }) => [detail, sinceMs])).toEqual([
      ['still', 1_000],
      ['x', 2_000],
    ]);
    // As a registry remembers them.
    expect(datedIssues([{ ...issue('no_gpu'), sinceMs: 500 }], [], 3_000)).toMatchObject([{ sinceMs: 500 }]);
  });

  it('hold each code and subject once', () => {
    const agents = [
      issue('gpu_lost', 'GPU-1', 'one'),
      issue('gpu_lost', 'GPU-1', 'two'),
      issue('gpu_lost', 'GPU-2'),
    ];
    expect(mergeIssues([], agents).map(({ subject, detail }) => `${subject} ${detail}`)).toEqual([
      'GPU-1 one',
      'GPU-2 x',
    ]);
  });

  it('take nothing from an agent that only the control plane can know', () => {
    expect(mergeIssues([], [issue('clock_skew'), issue('identity_in_use')])).toEqual([]);
  });

  it('are bounded', () => {
    const many = Array.from({ length: 200 }, (_, index) => issue('gpu_lost', `GPU-${index}`));
    expect(mergeIssues([], many)).toHaveLength(64);
  });

  it('are the same only when every word of them is', () => {
    expect(sameIssues([issue('no_gpu')], [issue('no_gpu')])).toBe(true);
    expect(sameIssues([issue('no_gpu')], [issue('no_gpu', 'host', 'y')])).toBe(false);
    expect(sameIssues([issue('no_gpu')], [])).toBe(false);
    expect(sameIssues([issue('no_gpu')], [{ ...issue('no_gpu'), fix: 'mend it' }])).toBe(false);
  });
});

describe('a clock skew', () => {
  it.each([
    [false, 60_000, false],
    [false, 60_001, true],
    [false, -60_001, true],
    [true, 50_000, true],
    [true, 49_999, false],
    [true, -55_000, true],
    [false, 55_000, false],
  ])('raised %s at %i ms is then %s', (raised, skewMs, then) => {
    expect(judgeClockSkew(raised, skewMs)).toBe(then);
  });

  it('says which clock is behind', () => {
    expect(clockSkewIssue(3_600_000).detail).toBe(
      "This host's clock is about 3600 s behind the control plane's.",
    );
    expect(clockSkewIssue(-90_400).detail).toBe(
      "This host's clock is about 90 s ahead of the control plane's.",
    );
  });
});

describe('a sample', () => {
  it('is taken as it is when all of it is declared on its host', () => {
    const sample = sampleOf(1, { chat: 2 });
    expect(believeSample(sample, new Set(['chat', 'embed']))).toBe(sample);
  });

  it('loses the readings of what is not, and nothing else', () => {
    const sample = sampleOf(1, { chat: 2, 'of-another-host': 9, constructor: 1 });
    const believed = believeSample(sample, new Set(['chat']));
    expect(believed).toEqual(sampleOf(1, { chat: 2 }));
    expect(Object.keys(sample.replicas)).toHaveLength(3);
  });
});
