import { describe, expect, it } from 'vitest';
import { PLACES } from '../service-places.js';
import { EMPTY_MACHINE, INSTALLED_MACHINE, RECORD } from '../testing/service-facts.js';
import { describeRemoval, planUninstall } from './plan-uninstall.js';
import type { ServiceFacts } from './service-facts.js';

function planned(facts: ServiceFacts, purge = false) {
  const plan = planUninstall(facts, purge);
  if (!plan.ok) throw new Error(plan.refusal.message);
  return { ...plan, texts: plan.steps.map(describeRemoval) };
}

describe('uninstalling', () => {
  it('removes what was made, and says what stays', () => {
    const { texts, stays } = planned(INSTALLED_MACHINE);
    expect(texts).toEqual([
      'stop the service: requests under way may finish, agents keep their containers',
      `remove ${PLACES.unit}`,
      `remove ${PLACES.command}`,
      `remove ${PLACES.program}`,
    ]);
    expect(stays.map(({ path }) => path)).toEqual([PLACES.settings, PLACES.data, 'ai-fabric']);
  });

  it('removes all of it with purge', () => {
    const { texts, stays } = planned(INSTALLED_MACHINE, true);
    expect(texts.slice(-3)).toEqual([
      `remove ${PLACES.data}`,
      'remove the user ai-fabric',
      `remove our files in ${PLACES.settings}`,
    ]);
    expect(stays).toEqual([]);
  });

  it('leaves what was there before, and what is somebody else’s', () => {
    const record = { ...RECORD, made: [PLACES.program] };
    const unit = { ...INSTALLED_MACHINE.unit, kind: 'foreign', active: true } as const;
    const { steps, stays } = planned({ ...INSTALLED_MACHINE, record, unit, command: 'foreign' }, true);
    expect(steps.map(({ kind }) => kind)).toEqual(['remove', 'remove_data', 'remove_settings']);
    expect(stays.map(({ path }) => path)).toEqual([PLACES.data, 'ai-fabric']);
  });

  it('gives a LiteLLM proxy its port back', () => {
    const litellm = { unit: 'litellm.service', wasEnabled: true, port: 8000, formerPort: 4001 };
    const { steps } = planned({ ...INSTALLED_MACHINE, record: { ...RECORD, litellm } });
    expect(steps.at(-1)).toEqual({ kind: 'give_port_back' });
  });

  it('goes on where a former one ended, and is refused where there was none', () => {
    const half = { ...EMPTY_MACHINE, record: RECORD, directoriesThere: [PLACES.settings, PLACES.data] };
    expect(planned(half).steps).toEqual([]);
    // Its user is gone already: there is none to remove.
    expect(planned({ ...half, directoriesThere: [PLACES.settings] }, true).steps).toEqual([
      { kind: 'remove_settings' },
    ]);
    expect(planUninstall(EMPTY_MACHINE, false)).toMatchObject({ refusal: { code: 'not_installed' } });
    expect(planUninstall({ ...half, isRoot: false }, true)).toMatchObject({ refusal: { code: 'not_root' } });
  });
});
