import { describe, expect, test } from 'vitest';
import { CONTROL_PLANE, finding } from '../checks/finding.js';
import { painter } from './colour.js';
import { findingLines, summary } from './print-findings.js';

const FINDINGS = [
  finding('error', 'gpu_lost', { kind: 'host', name: 'armitage' }, 'its card is lost', { fix: 'reboot it' }),
  finding('ok', 'gateway', CONTROL_PLANE, 'answers', { latencyMs: 3.21 }),
];

describe('findings on a terminal', () => {
  test('are lines with mark, place, words, latency, code and fix', () => {
    expect(findingLines(FINDINGS, painter(false, false))).toEqual([
      '✗ host armitage  its card is lost [gpu_lost]',
      '                 → reboot it',
      '✓ control plane  answers (3.2 ms)',
    ]);
    expect(summary(FINDINGS)).toBe('1 error, 0 warnings, 1 fine');
  });

  test('are coloured there, and nowhere else', () => {
    expect(findingLines(FINDINGS, painter(true, false)).join()).toContain('\u001b[31m');
    expect(findingLines(FINDINGS, painter(true, true)).join()).not.toContain('\u001b[');
    expect(findingLines(FINDINGS, painter(false, false)).join()).not.toContain('\u001b[');
  });
});
