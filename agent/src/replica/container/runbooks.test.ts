import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { containerIssueCodes } from './decide/container-trouble.js';

const runbook = (code: string): string =>
  fileURLToPath(new URL(`../../../../docs/runbooks/${code}.md`, import.meta.url));

const codes = [...containerIssueCodes, 'gpu_lost_after_resume'];

describe('an issue that an agent cannot mend', () => {
  test.each(codes)('%s has a runbook with its cause, its look, its fix and its end', (code) => {
    expect(existsSync(runbook(code))).toBe(true);
    const text = readFileSync(runbook(code), 'utf8');
    expect(text).toMatch(new RegExp(`^# \`${code}\`: `));
    for (const part of ['**Cause.**', '**See it.**', '**Mend it.**', '**Cleared by:**']) {
      expect(text).toContain(part);
    }
  });

  test.each(codes)('%s is in the list of issues', (code) => {
    expect(readFileSync(runbook('README'), 'utf8')).toContain(`\`${code}\``);
  });
});
