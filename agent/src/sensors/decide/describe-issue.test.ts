import { issueSchema } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipText, describeIssue } from './describe-issue.js';

describe('an issue', () => {
  it('holds what a tool said as one printable line', () => {
    expect(clipText(' a\n\tb\u0007c\u202ed \r\n', 80)).toBe('a b c d');
    expect(clipText('abcdef', 4)).toBe('abc…');
    expect(clipText('x'.repeat(1_000_000), 10)).toHaveLength(10);
  });

  it('fits the wire, whatever its texts are', () => {
    const text = fc.string({ unit: 'binary', maxLength: 700 });
    fc.assert(
      fc.property(text, text, fc.option(text), (subject, detail, fix) => {
        const issue = describeIssue('gpu_lost', 'error', subject, detail, fix);
        expect(issueSchema.safeParse(issue).success).toBe(true);
      }),
    );
  });
});
