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
