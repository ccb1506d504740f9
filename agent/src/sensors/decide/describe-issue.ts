import type { Issue, IssueCode } from '@ai-fabric/shared';

const CONTROL_CHARACTERS = /[\p{Cc}\p{Cf}\s]+/gu;
const MAX_TEXT = 500;
const MAX_SUBJECT = 120;

/** One line of printable text of at most `maxLength` characters: what a foreign tool said, fit for an issue. */
export function clipText(text: string, maxLength: number): string {
  // Cut before the clean-up too: the text may be megabytes long.
  const line = text
    .slice(0, maxLength * 4)
    .replace(CONTROL_CHARACTERS, ' ')
    .trim();
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1)}…`;
}

/** An issue within the wire's size limits, whatever a tool or a file put into its texts. */
export function describeIssue(
  code: IssueCode,
  severity: Issue['severity'],
  subject: string,
  detail: string,
  fix: string | null = null,
): Issue {
  return {
    code,
    severity,
    subject: clipText(subject, MAX_SUBJECT) || 'host',
    detail: clipText(detail, MAX_TEXT),
    fix: fix === null ? null : clipText(fix, MAX_TEXT),
  };
}
