import { expect, it } from 'vitest';
import { checkFabricValue } from '../../declared/check-fabric-value.js';
import { planSmoke } from './plan-smoke.js';

const check = checkFabricValue({
  version: 1,
  hosts: { armitage: { mayBeAway: true }, motoko: {} },
  deployments: {
    qwen: { host: 'armitage', task: 'chat', engine: 'external', url: 'http://a:8000', servedModel: 'q' },
    phi: { host: 'motoko', task: 'chat', engine: 'external', url: 'http://m:8000', servedModel: 'p' },
  },
  roles: { 'chat-fast': { task: 'chat', targets: [{ deployment: 'qwen' }, { deployment: 'phi' }] } },
});
if (!check.ok) throw new Error(JSON.stringify(check.findings));
const { state } = check;

it('of a role says whether it wakes who sleeps', () => {
  const requests = planSmoke(state, new Set());
  expect(requests.map(({ wakes }) => wakes)).toEqual([true, true]);
});

it.each([
  ['as it is declared', [], true],
  ['not once its key is revoked: it cannot come back', ['armitage'], false],
])('a host may be away %s', (_, revoked, mayBeAway) => {
  const [request] = planSmoke(state, new Set(revoked));
  expect(request?.deployments).toEqual(
    new Map([
      ['qwen', { mayBeAway }],
      ['phi', { mayBeAway: false }],
    ]),
  );
});
