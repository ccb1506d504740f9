import { expect, it } from 'vitest';
import { formatPlan } from './print-plan.js';

it('what is left alone is named once, also where its name is its kind', () => {
  const plan = {
    ...{ changes: [], warnings: [], revision: 3 },
    notInFile: [
      { kind: 'gateway', name: 'gateway' },
      { kind: 'role', name: 'chat-fast' },
    ],
  } as unknown as Parameters<typeof formatPlan>[0];
  expect(formatPlan(plan).split('\n').slice(1)).toEqual(['    gateway', '    role chat-fast']);
});

it('a target that is only sometimes asked is shown with when', () => {
  const targets = (whenWaitExceeds: number) => [
    { deployment: 'a' },
    { provider: 'openai', model: 'cheap', when: { whenWaitExceeds, maxContext: null, localOnly: false } },
  ];
  const fields = [{ path: 'targets', before: targets(5), after: targets(9) }];
  const changes = [{ change: 'changed', kind: 'role', name: 'chat-fast', fields }];
  const plan = { changes, warnings: [], revision: 3, notInFile: [] } as unknown as Parameters<
    typeof formatPlan
  >[0];
  expect(formatPlan(plan)).toContain(
    'targets: [a, openai/cheap when {"whenWaitExceeds":5}] → [a, openai/cheap when {"whenWaitExceeds":9}]',
  );
});
