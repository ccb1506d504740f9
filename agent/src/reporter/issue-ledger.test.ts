import type { Issue } from '@ai-fabric/shared';
import { describe, expect, test } from 'vitest';
import { IssueLedger } from './issue-ledger.js';

const issue = (code: Issue['code'], subject = 'host', changed: Partial<Issue> = {}): Issue => ({
  code,
  subject,
  severity: 'warning',
  detail: 'why',
  fix: null,
  ...changed,
});
const codes = (ledger: IssueLedger): string[] => ledger.open.map(({ code }) => code);

describe('the issue ledger', () => {
  test('an issue stands until its source no longer names it', () => {
    const ledger = new IssueLedger();
    expect(ledger.state('gpu', [issue('gpu_lost', 'GPU-1'), issue('gpu_lost', 'GPU-2')])).toBe(true);
    expect(ledger.state('gpu', [issue('gpu_lost', 'GPU-2')])).toBe(true);
    expect(ledger.open.map(({ subject }) => subject)).toEqual(['GPU-2']);
    expect(ledger.state('gpu', [])).toBe(true);
    expect(ledger.open).toEqual([]);
  });

  test('one source does not clear what another named', () => {
    const ledger = new IssueLedger();
    ledger.state('gpu', [issue('driver_hung')]);
    ledger.state('replicas', [issue('engine_unreachable', 'a')]);
    ledger.state('replicas', []);
    expect(codes(ledger)).toEqual(['driver_hung']);
  });

  test('the same said again is no change', () => {
    const ledger = new IssueLedger();
    ledger.state('gpu', [issue('no_gpu')]);
    expect(ledger.state('gpu', [issue('no_gpu')])).toBe(false);
    expect(ledger.state('inventory', [issue('no_gpu', 'host', { detail: 'in other words' })])).toBe(false);
    expect(ledger.open).toHaveLength(1);
  });

  test.each([
    ['0000:01:00.0', ['GPU-1'], ['GPU-1']],
    ['host', ['GPU-1'], ['GPU-1']],
    ['host', ['0000:01:00.0'], ['0000:01:00.0']],
    ['0000:02:00.0', ['0000:02:00.0', 'GPU-1'], ['0000:02:00.0', 'GPU-1']],
    ['0000:01:00.0', [], ['0000:01:00.0']],
  ])('a lost card that the inventory calls %s and the stream %j is told once', (vague, exact, told) => {
    const ledger = new IssueLedger();
    ledger.state('inventory', [issue('driver_hung'), issue('gpu_lost', vague)]);
    ledger.state(
      'gpu',
      exact.map((subject) => issue('gpu_lost', subject)),
    );
    expect(codes(ledger)).toContain('driver_hung');
    expect(ledger.open.flatMap(({ code, subject }) => (code === 'gpu_lost' ? [subject] : []))).toEqual(told);
  });

  test('the worst come first, and no more than a report takes', () => {
    const ledger = new IssueLedger();
    ledger.state(
      'replicas',
      Array.from({ length: 80 }, (_, n) => issue('engine_unreachable', `replica-${n}`)),
    );
    ledger.state('gpu', [
      issue('no_gpu', 'host', { severity: 'info' }),
      issue('gpu_lost', 'GPU-1', { severity: 'error' }),
    ]);
    expect(ledger.open).toHaveLength(64);
    expect(codes(ledger)[0]).toBe('gpu_lost');
    expect(codes(ledger)).not.toContain('no_gpu');
  });
});
