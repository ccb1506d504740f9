import { describe, expect, it } from 'vitest';
import { INSTALLED_MACHINE, RECORD } from '../testing/service-facts.js';
import { planRollback, type RollbackFacts } from './plan-rollback.js';

const previous = { version: '0.0.9', folder: '0.0.9-zzzz', schema: 6, backup: '/b' };
const FACTS: RollbackFacts = {
  ...INSTALLED_MACHINE,
  record: { ...RECORD, previous },
  versionsThere: ['0.0.9-zzzz', '0.1.0-aaaa'],
  ...{ schemaNow: 6, backupThere: true },
};

describe('a rollback', () => {
  it('keeps the present registry where the version before can go on with it', () => {
    expect(planRollback(FACTS, false)).toEqual({ ok: true, to: previous, restoresRegistry: false });
  });

  it('puts the registry back where the newer version changed its form, where that cannot be told, and on demand', () => {
    expect(planRollback({ ...FACTS, schemaNow: 7 }, false)).toMatchObject({ restoresRegistry: true });
    expect(planRollback({ ...FACTS, schemaNow: null }, false)).toMatchObject({ restoresRegistry: true });
    expect(planRollback(FACTS, true)).toMatchObject({ restoresRegistry: true });
  });

  it('is refused where there is nothing to return to', () => {
    const refused = (facts: Partial<RollbackFacts>) => planRollback({ ...FACTS, ...facts }, false);
    expect(refused({ record: null })).toMatchObject({ refusal: { code: 'not_installed' } });
    expect(refused({ record: RECORD })).toMatchObject({ refusal: { code: 'no_earlier_version' } });
    expect(refused({ versionsThere: [] })).toMatchObject({ refusal: { code: 'no_earlier_version' } });
    expect(refused({ isRoot: false })).toMatchObject({ refusal: { code: 'not_root' } });
    expect(refused({ schemaNow: 7, backupThere: false })).toMatchObject({
      refusal: { code: 'registry_refused' },
    });
  });
});
