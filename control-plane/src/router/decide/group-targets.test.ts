import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Target } from '../../declared/declared-state.js';
import { targetOf } from '../testing/router-fixtures.js';
import { groupTargets, type TargetGroup, targetKey } from './group-targets.js';

const names = (groups: readonly TargetGroup[]): string[][] =>
  groups.map((group) =>
    group.kind === 'provider' ? [targetKey(group.target)] : group.targets.map(targetKey),
  );

describe('the groups of a role', () => {
  it.each([
    { targets: [], groups: [] },
    { targets: ['a'], groups: [['a']] },
    { targets: ['a', 'b', 'c'], groups: [['a', 'b', 'c']] },
    { targets: ['a', 'b', 'openai/cheap'], groups: [['a', 'b'], ['openai/cheap']] },
    { targets: ['openai/cheap', 'a'], groups: [['openai/cheap'], ['a']] },
    { targets: ['a', 'openai/cheap', 'b'], groups: [['a'], ['openai/cheap'], ['b']] },
    { targets: ['openai/cheap', 'openai/strong'], groups: [['openai/cheap'], ['openai/strong']] },
    { targets: ['a', 'a', 'b'], groups: [['a', 'b']] },
    { targets: ['a', 'openai/cheap', 'a', 'b'], groups: [['a'], ['openai/cheap'], ['b']] },
    { targets: ['x/1', 'x/1'], groups: [['x/1']] },
  ])('of $targets are $groups', ({ targets, groups }) => {
    expect(names(groupTargets(targets.map(targetOf)))).toEqual(groups);
  });

  it('keep every target once, in the order of declaration', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'x/1', 'x/2', 'y/1');
    fc.assert(
      fc.property(fc.array(name, { maxLength: 12 }), (targets) => {
        const groups = groupTargets(targets.map(targetOf));
        expect(names(groups).flat()).toEqual([...new Set(targets)]);
        groups.forEach((group, index) => {
          const next = groups[index + 1];
          expect(group.kind === 'deployments' && next?.kind === 'deployments').toBe(false);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('is another where the wait is another after which it is asked', () => {
    const condition = { maxContext: null, capabilities: null, localOnly: false };
    const after = (name: string, whenWaitExceeds: number | null): Target => ({
      ...targetOf(name),
      when: { ...condition, whenWaitExceeds },
    });
    const targets = [
      targetOf('a'),
      after('b', null),
      after('c', 5),
      after('d', 5),
      after('e', 9),
      targetOf('f'),
    ];
    expect(names(groupTargets(targets))).toEqual([['a', 'b'], ['c', 'd'], ['e'], ['f']]);
  });
});
