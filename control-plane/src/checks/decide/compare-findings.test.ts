import { describe, expect, it } from 'vitest';
import { type Finding, type FindingSeverity, finding } from '../finding.js';
import { compareFindings } from './compare-findings.js';

const at = (
  code: string,
  name = 'armitage',
  severity: FindingSeverity = 'error',
  what = `${code} of ${name}`,
): Finding => finding(severity, code, { kind: 'host', name }, what);

const codes = (findings: readonly Finding[]) => findings.map(({ code, where }) => `${code} ${where.name}`);

describe('what changed between two runs', () => {
  const lost = at('gpu_lost');
  const away = at('host_away', 'motoko');

  it.each<[string, readonly Finding[], readonly Finding[], readonly string[], readonly string[]]>([
    ['nothing, twice', [], [], [], []],
    ['a first problem', [], [lost], ['gpu_lost armitage'], []],
    ['the same problem again', [lost], [lost], [], []],
    ['a problem that is gone', [lost], [], [], ['gpu_lost armitage']],
    ['one for another', [lost], [away], ['host_away motoko'], ['gpu_lost armitage']],
    ['the same code of another host', [lost], [lost, at('gpu_lost', 'motoko')], ['gpu_lost motoko'], []],
    ['other words', [lost], [at('gpu_lost', 'armitage', 'error', 'again')], [], []],
    [
      'a warning that became an error',
      [at('host_late', 'motoko', 'warning')],
      [at('host_late', 'motoko', 'error')],
      ['host_late motoko'],
      ['host_late motoko'],
    ],
    ['what is fine, or a note', [], [at('host', 'motoko', 'ok'), at('no_gpu', 'penny', 'info')], [], []],
    ['a problem that became a note', [lost], [at('gpu_lost', 'armitage', 'info')], [], ['gpu_lost armitage']],
    ['one problem told twice', [], [lost, lost], ['gpu_lost armitage'], []],
  ])('%s', (_, told, now, appeared, cleared) => {
    const difference = compareFindings(told, now);
    expect(codes(difference.appeared)).toEqual(appeared);
    expect(codes(difference.cleared)).toEqual(cleared);
  });
});
