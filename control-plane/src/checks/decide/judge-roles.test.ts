import { expect, it } from 'vitest';
import { checkFabricValue } from '../../declared/check-fabric-value.js';
import { type Finding, finding } from '../finding.js';
import { judgeRoles } from './judge-roles.js';

const engine = { task: 'chat', engine: 'external', servedModel: 'm' };
const check = checkFabricValue({
  version: 1,
  hosts: { armitage: { mayBeAway: true }, motoko: {} },
  deployments: {
    qwen: { ...engine, host: 'armitage', url: 'http://a:8000' },
    phi: { ...engine, host: 'motoko', url: 'http://m:8000' },
  },
  providers: { openai: { baseUrl: 'https://api.openai.com/v1', models: { cheap: { model: 'mini' } } } },
  roles: {
    local: { task: 'chat', targets: [{ deployment: 'qwen' }, { deployment: 'phi' }] },
    mixed: { task: 'chat', targets: [{ deployment: 'phi' }, { provider: 'openai', model: 'cheap' }] },
    cloud: { task: 'chat', targets: [{ provider: 'openai', model: 'cheap' }] },
  },
});
if (!check.ok) throw new Error(JSON.stringify(check.findings));
const { state } = check;

const qwen = { kind: 'deployment', name: 'qwen' } as const;
const phi = { kind: 'deployment', name: 'phi' } as const;
const armitage = { kind: 'host', name: 'armitage' } as const;
const openai = { kind: 'provider', name: 'openai' } as const;
const engineDead = finding('error', 'engine_unreachable', phi, 'x');
const revoked = finding('warning', 'host_revoked', armitage, 'x');

it.each<[string, Finding[], string[]]>([
  ['all is well', [finding('ok', 'replica', qwen, 'x'), finding('ok', 'provider', openai, 'x')], []],
  [
    'one is away, as declared, and the other broken',
    [finding('ok', 'host_away', armitage, 'x'), engineDead],
    [],
  ],
  [
    'one never joined, and may not have, and the other is broken',
    [finding('warning', 'host_never_joined', armitage, 'x'), engineDead],
    ['local'],
  ],
  ['one is revoked, and the other broken', [revoked, engineDead], ['local']],
  [
    'one loads, and the other is broken',
    [finding('warning', 'replica_not_ready', qwen, 'x'), engineDead],
    [],
  ],
  ['the cloud helps', [engineDead], []],
  ['the cloud has no key', [engineDead, finding('warning', 'provider_key_missing', openai, 'x')], ['mixed']],
  ['a provider says it of its own roles', [finding('error', 'provider_failing', openai, 'x')], []],
  [
    'the cloud is at its limit for now',
    [engineDead, finding('warning', 'provider_limited', openai, 'x')],
    [],
  ],
])('roles that nothing can answer, where %s', (_, findings, expected) => {
  const told = judgeRoles(state, findings);
  expect(told.map(({ where }) => where.name)).toEqual(expected);
  for (const each of told) expect([each.severity, each.code]).toEqual(['error', 'role_unanswerable']);
});

it('each target is named with what is wrong with it', () => {
  const [told] = judgeRoles(state, [revoked, engineDead]);
  expect(told?.what).toBe('nothing can answer it: qwen (host_revoked), phi (engine_unreachable)');
});
