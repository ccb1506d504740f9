import { issueSchema, type UpgradeReport, upgradePhaseSchema } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { upgradeIssue } from './upgrade-issue.js';

const told = (phase: UpgradeReport['phase'], detail: string | null): UpgradeReport => ({
  ...{ phase, version: '0.3.0', detail },
});

describe('an upgrade of an agent', () => {
  it.each(upgradePhaseSchema.options)('is an issue where it came to nothing: %s', (phase) => {
    const isIssue = phase === 'rolled_back' || phase === 'failed';
    expect(upgradeIssue(told(phase, 'because')) !== null).toBe(isIssue);
  });

  it('is none where there was none', () => {
    expect(upgradeIssue(null)).toBeNull();
  });

  it('says what happened and why, in no more words than an issue takes', () => {
    expect(upgradeIssue(told('rolled_back', '0.2.0 runs again: it ended 3 times'))?.detail).toBe(
      'Agent 0.3.0 was put in place, and taken back: 0.2.0 runs again: it ended 3 times',
    );
    for (const detail of [null, 'x'.repeat(500)]) {
      expect(issueSchema.safeParse(upgradeIssue(told('failed', detail))).success).toBe(true);
    }
  });
});
